public import HaulModel

/// What a running attempt sends in pieces.
public enum AttemptStream: String, Sendable {
    case log, listing
}

/// The other servers of the database, as one of them asks them; `hauld` fills it in. A server that is asked acts on what
/// is its own and never asks a third.
///
/// Each throws `EngineError` as the other server answered, and ``ServerUnreachable`` where it gave no answer.
public protocol OtherServers: Sendable {
    /// Appends a piece of a running attempt's log or listing.
    ///
    /// - Returns: bytes that it has now.
    func append(
        _ bytes: [UInt8], at offset: Int, to stream: AttemptStream, of attempt: AttemptID, at server: KnownServer
    ) async throws -> Int

    /// Ends attempts as their workers say, a verdict each, in order.
    func report(_ reports: [Report], at server: KnownServer) async throws -> [Verdict]

    /// Ends attempts without a report.
    func lose(_ attempts: [AttemptID], because reason: String, _ loss: Loss, at server: KnownServer) async throws

    /// Hands out the log of a running attempt from `offset` on, until the attempt has ended.
    func follow(
        _ attempt: AttemptID, from offset: Int, at server: KnownServer,
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws
}

/// Another server gave no answer, or none that can be understood.
public struct ServerUnreachable: Error, Sendable, CustomStringConvertible {
    /// For the server's log.
    public var description: String

    public init(_ cause: String) { description = cause }
}

/// For a server that is alone.
public struct NoOtherServers: OtherServers {
    private static let alone = ServerUnreachable("this server knows no others")

    public init() {}

    public func append(
        _ bytes: [UInt8], at offset: Int, to stream: AttemptStream, of attempt: AttemptID, at server: KnownServer
    ) async throws -> Int { throw Self.alone }

    public func report(_ reports: [Report], at server: KnownServer) async throws -> [Verdict] { throw Self.alone }

    public func lose(
        _ attempts: [AttemptID], because reason: String, _ loss: Loss, at server: KnownServer
    ) async throws {
        throw Self.alone
    }

    public func follow(
        _ attempt: AttemptID, from offset: Int, at server: KnownServer,
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws { throw Self.alone }
}
