import HaulModel
import HaulProtocol

/// A command that a server works on for long without a word, on a connection of its own.
struct LongQuestion: Sendable {
    let server: Server
    let report: ElementReport?
    let size: Int

    /// Between two questions whether the server is still there.
    private static let interval = Duration.seconds(15)
    /// A disk that gives less than this many bytes a second stands still.
    private static let slowest = 4 << 20

    func ask(_ command: String) async throws -> FTPReply {
        let connection = try await server.exclusive()
        let limit = Duration.seconds(60 + size / Self.slowest)
        do {
            let reply = try await withThrowingTaskGroup(of: FTPReply?.self) { group in
                group.addTask { try await connection.perform(command, patience: limit) }
                group.addTask {
                    try await signs()
                    return nil
                }
                defer { group.cancelAll() }
                while let reply = try await group.next() { if let reply { return reply } }
                throw CancellationError()
            }
            await server.giveBack(connection)
            return reply
        } catch {
            connection.close()
            if let lost = error as? ControlConnection.Lost { throw lost.failure }
            throw error
        }
    }

    private func signs() async throws {
        var tick = 0
        while true {
            try await Task.sleep(for: Self.interval)
            _ = try await server.ask("NOOP")
            // Another figure is what counts as progress; that it is none of bytes shows in that it goes up and down.
            tick = 1 - tick
            report?.progress(transferred: size - tick, total: size)
        }
    }
}
