import Foundation
import Synchronization

/// The worker's directory for data in transit: names for files, and room for no more bytes than the batch may keep.
public final class Spool: Sendable {
    private let directory: String
    private let name: String
    private let room: Room
    private let names = Atomic<UInt64>(0)

    /// - Parameter name: The protocol's, which file names carry.
    public init(directory: String, bytes: Int, name: String) {
        self.directory = directory
        self.name = name
        room = Room(bytes: bytes)
    }

    /// A new file name, unique among the processes that share the spool.
    public func file(_ suffix: String) -> String {
        let number = names.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(directory)/haul-\(name)-\(getpid())-\(number).\(suffix)"
    }

    /// Whether so many bytes can ever be there at once.
    public func takes(_ count: Int) -> Bool { room.takes(count) }

    /// Waits for room, holds it while `body` runs.
    public func withRoom<Value: Sendable>(_ count: Int, _ body: () async throws -> Value) async throws -> Value {
        try await room.withRoom(count, body)
    }
}
