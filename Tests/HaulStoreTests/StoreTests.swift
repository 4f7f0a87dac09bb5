import Foundation
import HaulModel
import Testing

@testable import HaulStore

@Suite("The store keeps what it acknowledged, and nothing else")
struct StoreTests {
    @Test("a job comes back as it was registered")
    func roundTrip() async throws {
        let temporary = try await TemporaryStore()
        let job = try await temporary.register(.copy)
        #expect(job.id == 1)
        let read = try await temporary.store.read { try $0.job(1) }
        #expect(read == job)
        let element = try await temporary.store.read { try $0.element(0, ofJob: 1) }
        #expect(element?.phase == .ready)
        #expect(try await temporary.store.read { try $0.job(2) } == nil)
    }

    @Test("what one transaction throws takes nothing of its neighbours' with it")
    func savepoints() async throws {
        struct Refused: Error {}
        let temporary = try await TemporaryStore()
        let store = temporary.store
        await withTaskGroup { group in
            for number in 0..<400 {
                group.addTask {
                    do {
                        try await store.write { writer in
                            _ = try writer.user(named: "user\(number)", now: TemporaryStore.now)
                            if number % 2 == 1 { throw Refused() }
                        }
                        #expect(number % 2 == 0)
                    } catch { #expect(error is Refused) }
                }
            }
        }
        let count = try await store.read { reader in
            try (0..<400).filter { try reader.user(named: "user\($0)") != nil }
        }
        #expect(count == Array(stride(from: 0, to: 400, by: 2)))
    }

    @Test("large and small ones, alone and together: what throws is gone, all else is there")
    func largeOnes() async throws {
        struct Refused: Error {}
        let temporary = try await TemporaryStore()
        let store = temporary.store
        let user = try await store.write { try $0.user(named: "alice", now: TemporaryStore.now) }
        @Sendable func register(_ count: Int, isLarge: Bool, throwing: Bool) async throws {
            try await store.write(isLarge: isLarge) { writer in
                for _ in 0..<count {
                    let job = TemporaryStore.job(user: user.id)
                    _ = try writer.insertJobs([job], first: TemporaryStore.firstElement)
                }
                if throwing { throw Refused() }
            }
        }
        // One after the other, each alone in its commit.
        for isLarge in [true, false] {
            try await register(1, isLarge: isLarge, throwing: false)
            await #expect(throws: Refused.self) { try await register(3, isLarge: isLarge, throwing: true) }
        }
        #expect(try await store.read { try $0.jobs(JobFilter(), after: 0, limit: 100) }.count == 2)
        // All at once.
        try await withThrowingTaskGroup { group in
            for number in 0..<60 {
                group.addTask {
                    let (isLarge, throwing) = (number % 3 == 0, number % 5 == 0)
                    do { try await register(2, isLarge: isLarge, throwing: throwing) } catch is Refused {
                        #expect(throwing)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.read { try $0.jobs(JobFilter(), after: 0, limit: 1000) }.count == 2 + 48 * 2)
    }

    @Test("what was acknowledged is there for another process at once, and after this one is gone")
    func durable() async throws {
        let temporary = try await TemporaryStore()
        _ = try await temporary.register()
        let other = try Store(at: temporary.location) { _ in }
        #expect(try await other.read { try $0.job(1) } != nil)
    }

    @Test("a constraint that a fault of ours breaks is an error, and nothing is kept")
    func constraints() async throws {
        let temporary = try await TemporaryStore()
        let job = try await temporary.register(.copy)
        // DONE while an element is open.
        await #expect(throws: StoreError.self) {
            try await temporary.store.write { writer in
                guard var state = try writer.reader.jobState(job.id) else { return }
                state.job.status = .done
                try writer.updateJobs([(state, state.ready)])
            }
        }
        // Two live attempts at one element.
        await #expect(throws: StoreError.self) {
            try await temporary.store.write { writer in
                let user = try writer.user(named: "w", now: TemporaryStore.now)
                try writer.addToken(
                    TokenSpec(role: .worker), hash: [UInt8](repeating: 1, count: 32), user: user,
                    now: TemporaryStore.now)
                let session = try #require(
                    try writer.startSession(
                        workerID: nil, tokenID: 1, worker: "w", now: TemporaryStore.now, expires: TemporaryStore.now))
                for number in 1...2 {
                    try writer.insertAttempts(
                        [AttemptID(jobID: job.id, elementID: 0, number: number)], session: session,
                        now: TemporaryStore.now)
                }
            }
        }
        #expect(try await temporary.store.read { try $0.job(job.id)?.status } == .submitted)
        #expect(try await temporary.store.read { try $0.user(named: "w") } == nil)
    }

    @Test("pages by id, narrowed by each filter")
    func filters() async throws {
        let temporary = try await TemporaryStore()
        for site in [1, 2, 1] { _ = try await temporary.register(.list, site: site) }
        _ = try await temporary.register(.copy, user: "bob", site: 3)
        func ids(_ filter: JobFilter, after: Int = 0, limit: Int = 100) async throws -> [Int] {
            try await temporary.store.read { try $0.jobs(filter, after: after, limit: limit).map(\.id) }
        }
        #expect(try await ids(JobFilter()) == [1, 2, 3, 4])
        #expect(try await ids(JobFilter(), after: 1, limit: 2) == [2, 3])
        #expect(try await ids(JobFilter(userID: 1)) == [1, 2, 3])
        #expect(try await ids(JobFilter(type: .copy)) == [4])
        // As source and as destination.
        #expect(try await ids(JobFilter(siteID: 2)) == [2, 4])
        #expect(try await ids(JobFilter(status: .done)) == [])
        #expect(try await ids(JobFilter(queue: "default")) == [1, 2, 3, 4])
        #expect(try await ids(JobFilter(queue: "other")) == [])
        #expect(try await ids(JobFilter(since: TemporaryStore.now)) == [1, 2, 3, 4])
        #expect(try await ids(JobFilter(since: TemporaryStore.now.adding(seconds: 1))) == [])
    }

    @Test("lanes come by priority, then by what their users were given")
    func lanes() async throws {
        let temporary = try await TemporaryStore()
        _ = try await temporary.register(user: "alice", priority: 5)
        _ = try await temporary.register(user: "bob", priority: 5)
        _ = try await temporary.register(user: "alice", priority: 0)
        try await temporary.store.write { try $0.setVirtualTime(10, ofUser: 1) }
        try await temporary.store.read { reader in
            #expect(try reader.hasWork())
            #expect(try reader.usersWithWork(priority: 0) == [1] && reader.usersWithWork(priority: 1) == [])
            #expect(try reader.usersWithWork(priority: 5) == [2, 1])
            #expect(try reader.answer(to: Ask.prioritiesWithWork) == [0, 5])
            let lanes = try reader.lanesWithWork(ofUser: 1, priority: 5, limit: 10)
            #expect(lanes.map(\.user) == ["alice"] && lanes.map(\.ready) == [1])
        }
    }

    @Test("a user's lanes come in pages, those first that were served longest ago")
    func turns() async throws {
        let temporary = try await TemporaryStore()
        for site in 1...7 { _ = try await temporary.register(site: site) }
        _ = try await temporary.register(user: "bob", site: 1)
        let numbers = try await temporary.store.write { writer in
            let numbers = try (0..<2).map { _ in try #require(try writer.reader.answer(to: Ask.nextClaim)).turn }
            try writer.setTurn(numbers[1], ofLanes: [1, 3])
            try writer.setTurn(numbers[0], ofLanes: [2, 7])
            return numbers
        }
        let next = try await temporary.store.write { try $0.reader.answer(to: Ask.nextClaim)?.turn }
        #expect(try #require(next) > numbers[1] && numbers[0] < numbers[1])
        try await temporary.store.read { reader in
            var ids: [Int] = []
            var place = Lane.Place.start
            while true {
                let page = try reader.lanesWithWork(ofUser: 1, priority: 5, after: place, limit: 2)
                guard let last = page.last else { break }
                #expect(page.count <= 2)
                ids += page.map(\.id)
                place = last.place
            }
            #expect(ids == [4, 5, 6, 2, 7, 1, 3])
        }
    }

    @Test("what was decided on what has changed since is not kept, and takes nothing with it")
    func stale() async throws {
        let temporary = try await TemporaryStore()
        let jobs = [try await temporary.register(), try await temporary.register()]
        let old = try await temporary.store.read { reader in
            try jobs.map { try #require(try reader.element(0, ofJob: $0.id)) }
        }
        @Sendable func change(_ element: Element, _ size: Int) -> (Element, Element) {
            var next = element
            next.size = size
            return (next, element)
        }
        try await temporary.store.write { try $0.updateAllElements(old.map { change($0, 1) }) }
        // Alone, and in a group.
        await #expect(throws: StoreError.self) {
            try await temporary.store.write { try $0.updateAllElements([change(old[0], 2)]) }
        }
        let errors = try await writeTogether(
            temporary.store,
            [
                { _ = try $0.setting("a", initially: [1]) },
                {
                    _ = try $0.setting("b", initially: [1])
                    try $0.updateAllElements(old.map { change($0, 2) })
                },
                { _ = try $0.setting("c", initially: [1]) },
                { writer in
                    let written = try writer.updateElements(old.map { change($0, 3) })
                    #expect(written == [false, false])
                },
            ])
        guard case StoreError.stale? = errors[1] else { return #expect(Bool(false), "\(errors)") }
        #expect(errors[0] == nil && errors[2] == nil && errors[3] == nil)
        let kept = try await temporary.store.read { reader in
            try ["a", "b", "c"].map { try reader.setting($0) != nil }
        }
        #expect(kept == [true, false, true])
        let sizes = try await temporary.store.read { reader in
            try jobs.map { try reader.element(0, ofJob: $0.id)?.size }
        }
        #expect(sizes == [1, 1])
    }

    @Test("a kept answer counts until it is too old, and is then forgotten")
    func keys() async throws {
        let temporary = try await TemporaryStore()
        let store = temporary.store
        let now = TemporaryStore.now
        try await store.write { writer in
            let user = try writer.user(named: "alice", now: now)
            try writer.keepAnswers([(KeptAnswer(body: [1], jobIDs: [1, 2]), user.id, "k")], now: now)
        }
        #expect(try await store.read { try $0.keptAnswers([(1, "k", now)])[0]?.jobIDs } == [1, 2])
        #expect(try await store.read { try $0.keptAnswers([(1, "k", now.adding(seconds: 1))])[0] } == nil)
        #expect(try await store.read { try $0.keptAnswers([(2, "k", now)])[0] } == nil)
        #expect(try await store.write { try $0.forgetAnswers(before: now, limit: 10) } == 0)
        #expect(try await store.write { try $0.forgetAnswers(before: now.adding(seconds: 1), limit: 10) } == 1)
    }

    @Test("a revoked token ends its sessions and no others, and starts none")
    func revocation() async throws {
        let temporary = try await TemporaryStore()
        let now = TemporaryStore.now
        try await temporary.store.write { writer in
            let user = try writer.user(named: "w", now: now)
            for number in UInt8(1)...2 {
                let hash = [UInt8](repeating: number, count: 32)
                var spec = TokenSpec(role: .worker)
                spec.sites = [1]
                try writer.addToken(spec, hash: hash, user: user, now: now)
            }
            let later = now.adding(seconds: 60)
            func start(_ token: Int) throws -> Session? {
                try writer.startSession(workerID: nil, tokenID: token, worker: "w", now: now, expires: later)
            }
            let sessions = try [1, 1, 2].map { try #require(try start($0)) }
            #expect(try writer.revokeToken(1, now: now) == 2)
            #expect(try writer.revokeToken(1, now: now) == nil && writer.revokeToken(3, now: now) == nil)
            let found = try sessions.map { try #require(try writer.reader.session($0.id)) }
            #expect(found.map { $0.isLive(at: now) } == [false, false, true])
            #expect(found.map { $0.revoked != nil } == [true, true, false])
            #expect(try start(1) == nil && start(2) != nil)
            #expect(try writer.reader.token(hash: [UInt8](repeating: 1, count: 32)) == nil)
            let known = try writer.reader.tokens(ofUser: user.id, after: 0, limit: 10)
            #expect(known.map(\.revoked) == [now, nil] && known.map(\.record.spec.sites) == [[1], [1]])
        }
    }
}
