import Foundation

/// Hashes what one task moves, beside it: while a piece is written and the next one read, another thread hashes it.
final class SideHash {
    /// Of one piece at a time.
    private actor Engine {
        private let hash: StreamHash

        init(_ algorithm: StreamHash.Algorithm) throws { hash = try StreamHash(algorithm) }

        func update(_ piece: Data) { piece.withUnsafeBytes { hash.update($0) } }
        func finish() -> String { hash.finish() }
    }

    /// Pieces of fewer bytes are hashed sooner than they are handed over.
    private static let small = 64 << 10

    private let engine: Engine
    private var underWay: Task<Void, Never>?

    /// - Throws: ``BackendFailure`` as ``StreamHash/init(_:)`` does.
    init(_ algorithm: StreamHash.Algorithm) throws { engine = try Engine(algorithm) }

    /// Takes the next piece; waits while the one before it is being hashed.
    func update(_ piece: Data) async {
        await underWay?.value
        underWay = nil
        if piece.count < Self.small { return await engine.update(piece) }
        // Detached: a task that runs on one thread alone would have it hashed there.
        underWay = Task.detached { [engine] in await engine.update(piece) }
    }

    /// The checksum of all that was given; call it once.
    func finish() async -> String {
        await underWay?.value
        return await engine.finish()
    }
}
