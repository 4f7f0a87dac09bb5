import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Why no worker that is there takes what waits, each reason provoked.
@Suite(.timeLimit(.minutes(5))) struct MissingWorkerTests {
    /// From no worker at all to one that only has others before it.
    @Test func workers() async throws {
        let test = try await TestEngine()
        let id = try await test.register(try await test.user("alice")).id
        #expect(try await test.codes(id) == [.noWorker])
        #expect(try await test.codes(id, element: 0) == [.noWorker])
        _ = try await test.session("w", protocols: ["HTTP"])
        #expect(try await test.codes(id) == [.noWorkerForProtocol])
        _ = try await test.session("w", sites: [2])
        #expect(try await test.codes(id) == [.noWorkerForSite])
        _ = try await test.session("w", sites: [1, 2])
        #expect(try await test.codes(id) == [.waitsForTurn])
        _ = try await test.engine.setDrained(true, worker: "w")
        let drained = try await test.engine.explain(job: id)
        #expect(drained.blockers.map(\.code) == [.workersDrained] && drained.blockers[0].detail.contains("w."))
        _ = try await test.engine.setDrained(false, worker: "w")
        #expect(try await test.codes(id, element: 0) == [.waitsForTurn])
        test.advance(seconds: 61)
        try await test.withDuties { try await test.codes(id) == [.noWorker] }
    }

    /// A session of a worker of its own, whose token is restricted.
    private func restricted(
        _ test: TestEngine, _ name: String, sites: [Int]? = nil, queues: [String]? = nil, users: [String]? = nil
    ) async throws {
        let user = try await test.user(name)
        let now = test.engine.world.now()
        let bearer = try await test.engine.store.write { writer in
            let hash = (0..<32).map { _ in UInt8.random(in: 0...255) }
            var spec = TokenSpec(role: .worker)
            (spec.sites, spec.queues, spec.users) = (sites, queues, users)
            try writer.addToken(spec, hash: hash, user: user, now: now)
            return try #require(try writer.reader.token(hash: hash))
        }
        let worker = WorkerRecord(name: name, host: "h", version: "1", slots: 1, protocols: ["SSH"], sites: [])
        _ = try await test.engine.startSession(worker, bearer: bearer)
    }

    /// What a worker's token keeps from it no worker can take.
    @Test func restrictedTokens() async throws {
        let test = try await TestEngine()
        let id = try await test.register(try await test.user("alice")).id
        for (name, sites, queues, users, code, words) in [
            ("s", [2], nil, nil, "no_worker_for_site", ["SSH", " a", "token"]),
            ("q", nil, ["night", "day"], nil, "no_worker_for_queue", ["queue \"default\"", "token"]),
            ("u", nil, nil, ["bob"], "no_worker_for_user", ["alice", "token"]),
            ("n", nil, [], nil, "no_worker_for_queue", ["token"]),
        ] as [(String, [Int]?, [String]?, [String]?, String, [String])] {
            try await restricted(test, name, sites: sites, queues: queues, users: users)
            for found in [try await test.engine.explain(job: id), try await test.engine.explain(element: 0, ofJob: id)]
            {
                #expect(found.blockers.map(\.code.rawValue) == [code], "\(found)")
                for word in words { #expect(found.blockers.first?.detail.contains(word) == true, "\(found)") }
                #expect(found.estimate == nil)
            }
            _ = try await test.engine.endSession(ofWorker: name)
        }
        // Each of these may have a part of it, none all.
        try await restricted(test, "s2", sites: [1], users: ["bob"])
        try await restricted(test, "q2", queues: ["default"], users: ["carol", "bob"])
        try await restricted(test, "u2", sites: [2], users: ["alice"])
        #expect(try await test.codes(id).map(\.rawValue) == ["no_worker_for_user"])
        try await restricted(test, "all", sites: [2, 1], queues: ["default"], users: ["alice"])
        #expect(try await test.codes(id) == [.waitsForTurn])
    }

    /// A worker of the documented system registers nowhere: who was given something and holds its lease is there.
    @Test func sessionless() async throws {
        let http = try #require(ProtocolName(text: "HTTP"))
        let test = try await TestEngine(
            sites: TestEngine.sites + [Site(id: 3, name: "c", protocolName: http, endpoints: [])])
        let alice = try await test.user("alice")
        let first = try await test.register(alice, path: "/first").id
        let id = try await test.register(alice, path: "/second").id
        let other = try await test.register(alice, extra: ["src_siteid": 3]).id
        #expect(try await test.codes(id) == [.noWorker])
        for _ in 0..<2 {
            #expect(try await test.claimSessionless().map(\.job.id) == [first])
            #expect(try await test.codes(id) == [.waitsForTurn])
            #expect(try await test.codes(id, element: 0) == [.waitsForTurn])
            #expect(try await test.codes(other) == [.noWorkerForProtocol])
            // The time of its lease is over, whether the rescuer was there or not.
            test.advance(seconds: test.engine.configuration.sessionlessLeaseSeconds + 1)
            #expect(try await test.codes(id) == [.noWorker])
            try await test.withDuties { try await test.engine.element(0, ofJob: first)?.phase == .ready }
            #expect(try await test.codes(id) == [.noWorker])
        }
    }

    /// The directories of a COPY are made by workers with a session alone.
    @Test func sessionlessAndDirectories() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let lines = [
            ListingLine(directory: "/d", entry: ListingEntry(name: "f", kind: .file)),
            ListingLine(directory: "/d", entry: ListingEntry(name: "s", kind: .directory)),
            ListingLine(directory: "/d/s", entry: nil),
        ]
        let id = try await test.listed(alice, .copy, lines).id
        _ = try await Expander(engine: test.engine).run()
        _ = try await test.engine.endSession(ofWorker: "lister")
        #expect(try await test.codes(id) == [.noWorker])
        let other = try await test.register(alice, priority: 0).id
        #expect(try await test.claimSessionless().map(\.job.id) == [other])
        let types = try await test.elements(try #require(try await test.engine.job(id))).map(\.type)
        let directory = try #require(types.firstIndex(of: .mkdir))
        #expect(try await test.codes(id) == [.waitsForTurn])
        #expect(try await test.codes(id, element: types.count - directory) == [.waitsForTurn])
        #expect(try await test.codes(id, element: directory) == [.noWorker])
        #expect(try await test.claimSessionless(limit: 9).map(\.job.id) == [id])
        #expect(try await test.codes(id) == [.running, .noWorker], "what is left is the directory")
        _ = try await test.session()
        #expect(try await test.codes(id, element: directory) == [.waitsForTurn])
    }
}
