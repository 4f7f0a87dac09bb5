import HaulModel
import HaulWire

extension Verb {
    static let audit = Verb(
        name: "audit", summary: "who changed what, when, from where (operators)",
        options: [
            .value("user", "NAME", "by this user alone"),
            .choice("action", Deed.Action.allCases.map(\.rawValue), "of this kind alone"),
            .value("since", "TIME", "only since: 2026-01-31T12:00Z, or 90m, 12h, 7d ago"),
            .number("after", "ID", "behind this line"), .number("limit", "N", "so many at most"),
        ]
    ) { invocation in
        let arguments = invocation.arguments
        var query: [(String, String)] = []
        for name in ["user", "action"] { if let value = arguments[name] { query.append((name, value)) } }
        if let since = arguments["since"] { query.append(("since", try moment(since))) }
        for name in ["after", "limit"] {
            if let number = try arguments.number(name, in: 0...Int.max) { query.append((name, "\(number)")) }
        }
        let titles = ["ID", "TIME", "USER", "TOKEN", "ADDRESS", "ACTION", "TARGET", "DETAIL"]
        let columns = titles.map { Table.Column(title: $0, isPath: $0 == "DETAIL") }
        try await Rows.print(columns, "/audit", query, DeedDocument.self, invocation) { deed in
            [
                "\(deed.id)", deed.time, deed.user ?? "-", deed.token.map(String.init) ?? "-", deed.address ?? "-",
                deed.action, deed.target, deed.detail ?? "-",
            ]
        }
        return .ok
    }
}
