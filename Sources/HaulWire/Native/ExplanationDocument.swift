public import HaulModel

/// Why a job or an element is not further than it is (`GET /jobs/J/explain`, `.../elements/E/explain`).
public struct ExplanationDocument: Sendable, Hashable, Codable {
    public var status: String
    public var blockers: [Blocker]
    /// Elements that are handed out before its next one, at least; left out where none of it waits for its turn.
    public var ahead: Int?

    public struct Blocker: Sendable, Hashable, Codable {
        /// A word that programs can compare.
        public var code: String
        public var detail: String
        /// When it goes away by itself: UTC, milliseconds, `Z`.
        public var until: String?
    }

    public init(_ explanation: Explanation, status: Status) {
        self.status = status.name
        ahead = explanation.ahead
        blockers = explanation.blockers.map {
            Blocker(code: $0.code.rawValue, detail: $0.detail, until: $0.until?.text)
        }
    }
}
