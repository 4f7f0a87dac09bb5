public import HaulModel

/// Why a job or an element is not further than it is (`GET /jobs/J/explain`, `.../elements/E/explain`).
public struct ExplanationDocument: Sendable, Hashable, Codable {
    public var status: String
    public var blockers: [Blocker]
    /// Elements that are handed out before its next one, at least; left out where none of it waits for its turn.
    public var ahead: Int?
    /// When it goes on; null where nothing is known to go by.
    public var estimate: Estimate?

    /// Reckoned from what was seen of late.
    public struct Estimate: Sendable, Hashable, Codable {
        /// When its next element is handed out: UTC, milliseconds, `Z`; left out where none waits.
        public var starts: String?
        /// When its last element ends; left out while it is not known how many there are.
        public var ends: String?
        /// For people: what it was reckoned from.
        public var basis: String
    }

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
        estimate = explanation.estimate.map {
            Estimate(starts: $0.starts?.text, ends: $0.ends?.text, basis: $0.basis)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status, forKey: .status)
        try container.encode(blockers, forKey: .blockers)
        try container.encodeIfPresent(ahead, forKey: .ahead)
        try container.encode(estimate, forKey: .estimate)
    }
}

extension ExplanationDocument: Documented {
    public static let schema = Schema.object(
        "Explanation",
        [
            "status": .status,
            "blockers": .list(
                of: .object([
                    "code": .one(of: Explanation.Code.allCases.map(\.rawValue)), "detail": .text,
                    "until?": .time.about("When it goes away by itself"),
                ])),
            "ahead?": .count.about("Elements that are handed out before its next one, at least"),
            "estimate": .object(["starts?": .time, "ends?": .time, "basis": .text]).orNull,
        ])
}
