/// Asks the other servers of the database for what is on their disks alone. `hauld` fills it in.
public protocol LogsElsewhere: Sendable {
    /// Bytes of a finished file that a server has; nil where it has none, or is no more.
    ///
    /// - Throws: `away` when it can't be asked.
    func length(of file: String, job logUID: String, server: Int) async throws(LogError) -> Int?

    /// Up to `count` bytes of a finished file that a server has; nil where it has none, or is no more.
    ///
    /// - Throws: `away` when it can't be asked.
    func read(
        _ file: String, job logUID: String, server: Int, from: Int, count: Int
    ) async throws(LogError) -> [UInt8]?
}
