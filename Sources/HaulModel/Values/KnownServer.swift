/// One of the servers of a database, as the others know it.
public struct KnownServer: Sendable, Hashable {
    /// From 1. It stays the same for as long as the server keeps its address, or its spool.
    public var id: Int
    /// `http://HOST:PORT`, where the others reach it.
    public var url: String
    /// Changes with each start of it.
    public var run: String
    /// When it was last heard of.
    public var seen: Timestamp

    public init(id: Int, url: String, run: String, seen: Timestamp) {
        self.id = id
        self.url = url
        self.run = run
        self.seen = seen
    }
}
