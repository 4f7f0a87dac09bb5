import HaulModel
import Testing

@testable import HaulStore

/// What wrong passwords leave in the database.
@Suite struct LoginFailureTests {
    private static let now = TemporaryStore.now
    private static let delay = LoginDelay(free: 1, first: 10, longest: 40)

    private func failures(_ byte: UInt8) -> LoginFailures {
        LoginFailures(hash: [UInt8](repeating: byte, count: 32), delay: Self.delay)
    }

    private func begin(_ store: Store, _ all: [LoginFailures], after seconds: Double) async throws -> Double? {
        try await store.write { try $0.beginLogin(all, now: Self.now.adding(seconds: seconds)) }?.until
            .seconds(since: Self.now)
    }

    @Test func delays() async throws {
        let temporary = try await TemporaryStore()
        let (store, own, shared) = (temporary.store, failures(1), failures(2))
        #expect(try await begin(store, [own, shared], after: 0) == nil)
        #expect(try await begin(store, [own, shared], after: 0) == nil)
        #expect(try await begin(store, [own, shared], after: 0) == 10)
        #expect(try await begin(store, [shared], after: 9.9) == 10, "whatever of it is locked")
        #expect(try await begin(store, [own], after: 10) == nil)
        #expect(try await begin(store, [own], after: 11) == 30)
        // The right one clears what is one's own, and takes back one of what is shared.
        try await store.write { try $0.endLogin(forgetting: [own], taking: [shared]) }
        #expect(try await begin(store, [own], after: 11) == nil)
        #expect(try await begin(store, [shared], after: 11) == nil)
        // What happened long ago is forgotten, also where its row is still there.
        let day = LoginDelay.memory + 100
        #expect(try await begin(store, [own], after: day) == nil)
        #expect(try await begin(store, [own], after: day) == nil)
        #expect(try await begin(store, [own], after: day) == day + 10)
        #expect(
            try await store.write { try $0.forgetLoginFailures(before: Self.now.adding(seconds: day), limit: 10) } == 1)
        #expect(
            try await store.write { try $0.forgetLoginFailures(before: Self.now.adding(seconds: day), limit: 10) } == 0)
    }

    /// A token that ended goes, one that a session rests on stays, and so does one without an end.
    @Test func tokens() async throws {
        let temporary = try await TemporaryStore()
        let now = Self.now
        let left = try await temporary.store.write { writer -> [Int] in
            let user = try writer.user(named: "u", now: now)
            var ids: [Int] = []
            for byte in UInt8(1)...3 {
                var spec = TokenSpec(role: .worker)
                spec.expires = byte == 3 ? nil : now
                ids.append(try writer.addToken(spec, hash: [UInt8](repeating: byte, count: 32), user: user, now: now))
            }
            _ = try writer.startSession(
                workerID: nil, tokenID: ids[1], worker: "w", now: now, expires: now.adding(seconds: 60))
            #expect(try writer.forgetTokens(expiredBefore: now.adding(seconds: 1), limit: 10) == 1)
            #expect(try writer.reader.token(hash: [UInt8](repeating: 2, count: 32))?.isOver(at: now) == true)
            return try writer.reader.tokens(ofUser: user.id, after: 0, limit: 10).map(\.record.id).map { $0 - ids[0] }
        }
        #expect(left == [1, 2])
    }
}
