import HaulModel

extension Timestamp {
    /// A time as clients of UWS write it (ISO 8601, as in DALI 1.1, 3.3.3): `2015`, `20151026`, `2015-10-26 09:00`,
    /// `2015-10-26T09:00:00.123456Z`; without a zone UTC. What is finer than a millisecond is cut off.
    init?(uws text: String) {
        let form =
            #/(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d{2}:?\d{2})?/#
        guard text.utf8.count <= 40, let match = text.wholeMatch(of: form)?.output else { return nil }
        // An hour belongs to a day.
        if match.4 != nil, match.3 == nil { return nil }
        let date = "\(match.1)-\(match.2 ?? "01")-\(match.3 ?? "01")"
        let clock = "\(match.4 ?? "00"):\(match.5 ?? "00"):\(match.6 ?? "00")"
        let fraction = ((match.7 ?? "") + "000").prefix(3)
        let text = "\(date)T\(clock).\(fraction)"
        // February has no day 30: what is read otherwise than it is written is none.
        guard Timestamp(text: text + "Z")?.text == text + "Z" else { return nil }
        self.init(text: text + (match.8 ?? "Z"))
    }
}
