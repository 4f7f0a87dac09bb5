import HaulModel
import HaulWire

extension OutcomeDocument {
    /// The outcome with no text longer than hauld takes it, in bytes of UTF-8: what is too long is cut, not refused.
    var withinLimits: OutcomeDocument {
        var outcome = self
        outcome.host = host.prefix(bytes: 1024)
        outcome.log = log?.prefix(bytes: 64 << 20)
        outcome.errorClass = errorClass?.prefix(bytes: 64)
        outcome.reason = reason?.prefix(bytes: 4096)
        outcome.checksum = checksum?.prefix(bytes: 256)
        return outcome
    }

    /// What is left to say when the server does not take an outcome as it is: that the attempt has ended, and why no more
    /// is known of it. The server would else hand the element out again only when its lease is over.
    ///
    /// - Parameters:
    ///   - refusal: The server's status and words.
    ///   - isListing: The outcome of a LIST, which without its listing is none: it failed, and is tried again.
    func minimal(after refusal: String, isListing: Bool) -> OutcomeDocument {
        let why = "the server refused the full outcome: \(refusal)".prefix(bytes: 512)
        var outcome = OutcomeDocument(returncode: returncode, host: "", log: "\(why)\n", timestamp: timestamp)
        if isListing, returncode == 0 {
            outcome.returncode = 1
            outcome.errorClass = ErrorClass.unknown.rawValue
        } else {
            outcome.errorClass = ErrorClass(rawValue: errorClass ?? "")?.rawValue
        }
        if outcome.returncode != 0 { outcome.reason = why }
        return outcome
    }
}
