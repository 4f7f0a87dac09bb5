import HaulCrypto
import Synchronization

/// Passwords that were right within the last minutes, by a keyed hash that says nothing outside this process: a bounded
/// number of them. One that was changed since has another stored hash, and is not known.
final class RecentPasswords: Sendable {
    private static let life = Duration.seconds(300)
    private static let limit = 4096

    private let key = Random.bytes(32)
    private let seen = Mutex<[[UInt8]: ContinuousClock.Instant]>([:])

    func note(_ name: String, _ password: String, _ stored: String) {
        let hash = hash(name, password, stored)
        seen.withLock { seen in
            let now = ContinuousClock.now
            if seen.count >= Self.limit {
                seen = seen.filter { now - $0.value < Self.life }
                if seen.count >= Self.limit { seen = [:] }
            }
            seen[hash] = now
        }
    }

    func knows(_ name: String, _ password: String, _ stored: String) -> Bool {
        let hash = hash(name, password, stored)
        guard let time = seen.withLock({ $0[hash] }) else { return false }
        return .now - time < Self.life
    }

    private func hash(_ name: String, _ password: String, _ stored: String) -> [UInt8] {
        Hash.keyed(Array("\(name)\0\(stored)\0\(password)".utf8), key: key)
    }
}
