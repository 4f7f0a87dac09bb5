import Dispatch
import HaulCrypto
import Synchronization

/// Where passwords are computed: one at a time, since each takes 64 MiB and a core for a while, and only so many wait.
final class PasswordDesk: Sendable {
    private static let mostWaiting = 64

    private let queue = DispatchQueue(label: "haul.passwords")
    private let waiting = Atomic<Int>(0)
    /// What a name is held against that has no password.
    private let nobody = Mutex<String?>(nil)

    /// - Parameter hash: Nil takes as long, and is never right.
    /// - Throws: ``LoginRefusal/busy``.
    func isRight(_ password: String, hash: String?) async throws -> Bool {
        try await run { [self] in
            if let hash { return Password.isRight(password, hash: hash) }
            _ = Password.isRight(password, hash: strangers())
            return false
        }
    }

    /// - Throws: ``LoginRefusal/busy``, also where there is no memory.
    func hash(_ password: String) async throws -> String {
        let hash = try await run { Password.hash(password) }
        guard let hash else { throw LoginRefusal.busy }
        return hash
    }

    private func strangers() -> String {
        nobody.withLock { known in
            let hash = known ?? Password.hash(Text.base64url(Random.bytes(16))) ?? ""
            known = hash
            return hash
        }
    }

    private func run<T: Sendable>(_ work: @escaping @Sendable () -> T) async throws -> T {
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.mostWaiting else {
            waiting.subtract(1, ordering: .relaxed)
            throw LoginRefusal.busy
        }
        defer { waiting.subtract(1, ordering: .relaxed) }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
