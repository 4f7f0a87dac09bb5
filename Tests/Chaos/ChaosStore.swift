import Support

/// What the server under test keeps its state in. Another database is another case: it prepares the configuration, and
/// whatever of it can be killed.
enum ChaosStore: Sendable, CaseIterable, CustomStringConvertible {
    case sqlite

    var description: String {
        switch self {
        case .sqlite: "SQLite"
        }
    }

    /// Writes itself into the configuration of a server that was not started yet.
    func prepare(_ settings: inout LiveServer.Settings) async throws {
        switch self {
        case .sqlite: break  // What a live server of the tests has anyway.
        }
    }

    /// Ends the database at once, as a power cut would, and starts it again; false where there is none to end but the
    /// server itself.
    func kill() async throws -> Bool {
        switch self {
        case .sqlite: false
        }
    }
}
