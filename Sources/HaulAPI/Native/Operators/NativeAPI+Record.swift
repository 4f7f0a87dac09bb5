import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// The record of changes, for operators.
    func addRecordRoutes(to router: inout Routes) {
        let record = Route(
            "The record of changes", .operate,
            query: [
                "user?": .text, "action?": .one(of: Deed.Action.allCases.map(\.rawValue)), "since?": .since,
                "after?": .count.about("An id"), "limit?": .count,
            ], answers: .ok(listOf: DeedDocument.schema))
        router.on("GET", "/audit", record) { request, _ in
            _ = try await principal(of: request, .operate)
            var query = QueryReader(request)
            let actions = Deed.Action.allCases.map(\.rawValue).joined(separator: ", ")
            let filter = DeedFilter(
                name: query.text("user"),
                action: query.parse("action", "one of \(actions)") { Deed.Action(rawValue: $0)?.rawValue },
                since: query.parse("since", "a time: 2026-01-31T12:00Z, a date, or seconds since 1970") {
                    Timestamp(text: $0)
                })
            let after = query.number("after", from: 0) ?? 0
            let limit = query.number("limit", from: 0)
            try query.check()
            return try await stream(request, after: after, limit: limit) { [engine] after, count in
                try await engine.deeds(filter, after: after, limit: count).map { ($0.id, $0) }
            } write: { deed, sink in
                try await sink.write(JSONText.bytes(DeedDocument(deed)))
            }
        }
    }
}
