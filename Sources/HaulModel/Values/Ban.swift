/// A site that operators closed: nothing from or to it is handed out.
public struct Ban: Sendable, Hashable {
    public var siteID: Int
    /// In the operator's words.
    public var reason: String
    public var made: Timestamp

    public init(siteID: Int, reason: String, made: Timestamp) {
        self.siteID = siteID
        self.reason = reason
        self.made = made
    }
}
