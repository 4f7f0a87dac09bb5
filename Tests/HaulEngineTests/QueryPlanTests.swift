import HaulModel
import Support
import Testing

@testable import HaulEngine
@testable import HaulStore

/// No question reads a table from end to end: what costs nothing with ten jobs must not stop the server with a million.
@Suite(.timeLimit(.minutes(6))) struct QueryPlanTests {
    /// Plans that walk an index or a table which holds no more than what is asked for.
    private static let allowed = [
        // Lanes in which something waits, and the users of those.
        "SCAN lanes USING INDEX lanes_ready", "SCAN lanes USING COVERING INDEX lanes_ready", "SCAN w",
        "SCAN CONSTANT ROW",
        // Depths of REMOVE jobs that run, and the jobs of those.
        "SCAN depths", "SCAN d",
        // Partial indexes: only the rows in question are in them.
        "SCAN sessions USING INDEX sessions_to_release", "SCAN sessions USING COVERING INDEX sessions_to_release",
        "SCAN j USING INDEX jobs_opening", "SCAN j USING COVERING INDEX jobs_opening",
        "SCAN jobs USING INDEX jobs_forgotten",
        "SCAN j USING INDEX jobs_not_ended", "SCAN j USING COVERING INDEX jobs_not_ended",
        // As many as the subquery was bound to give.
        "SCAN counted", "SCAN older", "SCAN scanned",
        // As many as operators closed sites, and as are down.
        "SCAN bans", "SCAN breakers",
    ]

    @Test func noTableIsScanned() async throws {
        let test = try await TestEngine()
        try await everything(test)
        let store = test.engine.store
        var plans = try await store.write { writer in try Self.plans(writer.db) }
        // What holds up everybody is bound by what it changes.
        #expect(!plans.keys.contains { $0.contains("FROM depths) d") }, "all that is to be removed is read by a writer")
        // Each of the readers has seen its part.
        for _ in 0..<TestEngine.readers {
            plans.merge(try await store.read { try Self.plans($0.db) }) { first, _ in first }
        }
        // A claim takes the first of a million that wait, and neither sorts them nor passes by those that are done.
        let ready = plans.filter { $0.key.contains("phase = 1") && $0.key.contains("ORDER BY id") }
        #expect(!ready.isEmpty)
        for (text, plan) in ready where !TestDatabase.isPostgreSQL {
            #expect(plan == ["SEARCH elements USING INDEX elements_ready (job_id=?)"], "\(plan) in: \(text)")
        }
        // REMOVE jobs that wait as a whole are passed by.
        let openable = plans.filter { $0.key.contains("MAX(d.depth)") }
        #expect(openable.count == 1)
        for (text, plan) in openable {
            for index in ["jobs_opening", "elements_held"] {
                #expect(plan.contains { $0.contains(index) }, "\(plan) in: \(text)")
            }
        }
        // And the first of very many lanes and of very many nearly finished jobs.
        for (part, index) in [
            ("l.turn > $3", "lanes_ready (priority=? AND user_id=? AND turn>?)"),
            ("l.turn = $3", "lanes_ready (priority=? AND user_id=? AND turn=? AND id>?)"),
            ("(l.turn, l.id) < ", "lanes_ready (priority=? AND user_id=? AND turn<?)"),
            ("AND id > $3 AND n_ready > 0", "jobs_tail (user_id=? AND priority=? AND id>?)"),
        ] {
            let pages = plans.filter { $0.key.contains(part) }
            #expect(!pages.isEmpty, "\(part)")
            // PostgreSQL goes by what it knows of a table, and there is nothing in these.
            for (text, plan) in pages where !TestDatabase.isPostgreSQL {
                #expect(plan.contains { $0.contains(index) }, "\(plan) in: \(text)")
                if part.hasPrefix("l.turn") {
                    #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan) in: \(text)")
                }
            }
        }
        // A pop passes neither by what was expanded.
        let pops = plans.filter {
            $0.key.contains("ORDER BY id LIMIT 1") && $0.key.contains("lane_id = $1 AND id > $2")
        }
        #expect(pops.count == 1)
        for (text, plan) in pops where !TestDatabase.isPostgreSQL {
            #expect(plan.contains { $0.contains("jobs_poppable (lane_id=? AND id>?)") }, "\(plan) in: \(text)")
        }
        let failed = plans.filter { $0.key.contains("f.phase = 6") }
        #expect(!failed.isEmpty)
        for (text, plan) in failed where !TestDatabase.isPostgreSQL {
            #expect(plan.contains { $0.contains("elements_failed (job_id=?)") }, "\(plan) in: \(text)")
        }
        #expect(plans.count > 50, "\(plans.count) statements were seen")
        for (text, plan) in plans.sorted(by: { $0.key < $1.key }) {
            for line in plan where TestDatabase.isPostgreSQL ? line.contains("Seq Scan") : line.hasPrefix("SCAN") {
                #expect(Self.allowed.contains { line.hasPrefix($0) }, "\(line) in: \(text)")
            }
        }
        // Lists that are narrowed by the end, the reason or the place go through no others.
        let lists = [
            ("j.ended >= $", "jobs_ended (user_id=? AND ended>?)"),
            ("COALESCE(j.class, 'unknown') = '", "jobs_failed (user_id=? AND <expr>=?"),
            ("COALESCE(j.dst_site, j.src_site) = $", "jobs_of_place (user_id=? AND <expr>=?"),
        ]
        for (part, index) in lists where !TestDatabase.isPostgreSQL {
            let found = plans.filter {
                $0.key.contains(part) && $0.key.contains("j.user_id = $") && !$0.key.contains("+j.ended")
            }
            #expect(!found.isEmpty, "\(part)")
            for (text, plan) in found { #expect(plan.contains { $0.contains(index) }, "\(plan) in: \(text)") }
        }
        for (part, index) in [
            ("AND f.phase = 6", "elements_failed"), ("j.queue_id = (SELECT", "jobs_of_queue (queue_id=?"),
            ("j.sound = 0 AND j.forgotten", "jobs_unsound"),
        ] where !TestDatabase.isPostgreSQL {
            let found = plans.filter { $0.key.contains(part) && !$0.key.contains("j.status <> 1") }
            #expect(!found.isEmpty, "\(part)")
            for (text, plan) in found { #expect(plan.contains { $0.contains(index) }, "\(plan) in: \(text)") }
        }
        let ofType = plans.filter {
            $0.key.contains("AND j.type = $") && !$0.key.contains("j.status <> 1")
                && !$0.key.contains("j.queue_id = (SELECT")
        }
        #expect(!ofType.isEmpty || TestDatabase.isPostgreSQL)
        for (text, plan) in ofType where !TestDatabase.isPostgreSQL {
            #expect(plan.contains { $0.contains("jobs_of_type") }, "\(plan) in: \(text)")
        }
        let byStatus = plans.filter { $0.key.contains("j.status <> 1") }.values.flatMap(\.self)
        let wanted = TestDatabase.isPostgreSQL ? "jobs_not_done" : "jobs_not_done (user_id=? AND status=? AND id>?)"
        #expect(byStatus.contains { $0.contains(wanted) }, "\(byStatus)")
    }

    /// How each statement that a connection has run is done, line by line.
    private static func plans(_ db: any SQLConnection) throws -> [String: [String]] {
        let kinds = ["SELECT", "INSERT", "UPDATE", "DELETE"]
        var plans: [String: [String]] = [:]
        if let connection = db as? PostgresConnection {
            for (text, plan) in try connection.plans() where kinds.contains(where: text.hasPrefix) {
                plans[text] = plan
            }
            return plans
        }
        let connection = try #require(db as? SQLiteConnection)
        for text in connection.texts where kinds.contains(where: text.hasPrefix) {
            // An INSERT's plan shows what it would check of rows that wait for their parents: there are none.
            if text.hasPrefix("INSERT"), !text.contains("SELECT") { continue }
            let values = [SQLValue](repeating: .null, count: 32)
            plans[text] = try connection.rows("EXPLAIN QUERY PLAN " + text, values) { $0.text(3) }
        }
        return plans
    }

    /// Jobs that are committed later, that take too long, and that are removed.
    private func drafts(_ test: TestEngine, _ user: User, _ worker: (bearer: TokenRecord, id: Int)) async throws {
        let engine = test.engine
        let sound: [String: JSONValue] = ["src_siteid": 1, "src_filepath": "/d", "execution_duration": 1]
        let draft = try await engine.register(JobDraft(type: .mkdir, document: sound), user: user)
        _ = try await engine.changeParameters(ofJob: draft.id, ["priority": 1])
        _ = try await engine.commit(job: draft.id, user: .anybody)
        let refused = try await engine.register(JobDraft(document: [:]), user: user, committedAs: .anybody)
        #expect(try await engine.culprit(ofJob: refused.id) != nil)
        let other = try await test.session("drafts")
        _ = try await test.claim(other)
        test.advance(seconds: 2)
        _ = try await engine.change(job: refused.id, JobChange(["destruction": "2000-01-01"]))
        _ = try await Sweeper(engine: engine).run()
        _ = try await engine.destroy(job: draft.id)
        let list = try JobRequest(["src_siteid": 1, "src_filepath": "/j"], type: .list, rules: engine.rules)
        let joined = try await engine.join(list, user: user).job.id
        _ = try await engine.joined(list, user: user)
        try await engine.forgetJoined(job: joined)
        _ = try await engine.destroy(job: joined)
        for id in [draft.id, refused.id] { #expect(try await engine.job(id) == nil) }
        _ = try await engine.jobs(JobFilter(userID: user.id, type: .remove), after: 0, limit: 9)
        for newestFirst in [true, false] {
            for stages in [nil, Set(JobStage.allCases)] {
                var filter = JobFilter(userID: user.id)
                filter.stages = stages
                filter.registeredAfter = Timestamp(milliseconds: 0)
                _ = try await engine.jobs(filter, after: newestFirst ? Int.max : 0, limit: 9, newestFirst: newestFirst)
            }
        }
    }

    /// Queues, and jobs that are popped.
    private func pops(_ test: TestEngine, _ user: User) async throws {
        let engine = test.engine
        let actor = Requester(name: "alice", token: nil, address: "")
        _ = try await engine.make(Queue(name: "q", paused: nil, isPopped: true, leaseSeconds: 1), ofUser: user.id)
        let request = try JobRequest(["task": "x", "queue": "q"], type: .task, rules: engine.rules)
        let jobs = try await engine.register([request, request], user: user)
        _ = try await engine.pop(queue: "q", ofUser: user.id, by: actor)
        _ = try await engine.pop(job: jobs[1].id, by: actor)
        _ = try await engine.settle(job: jobs[1].id, Engine.Said(isDone: false), by: actor)
        _ = try await engine.outcomes(of: engine.jobs(JobFilter(userID: user.id), after: 0, limit: 100))
        _ = try await engine.recover(queue: "q", ofUser: user.id)
        _ = try await engine.retry(queue: "q", ofUser: user.id)
        _ = try await engine.countedQueues(ofUser: user.id)
        _ = try await engine.explain(job: jobs[0].id)
        _ = try await PopRescuer(engine: engine).run()
        try await engine.remove(queue: "q", ofUser: user.id)
    }

    /// Lists as faces narrow them: of one user, but for the end also of all.
    private func lists(_ reader: StoreReader, _ user: User) throws {
        var filters: [JobFilter] = []
        for change in 0..<5 {
            var filter = JobFilter(userID: change == 3 ? nil : user.id)
            if change % 3 == 0 { filter.endedSince = Timestamp(milliseconds: 0) }
            if change == 1 { (filter.stages, filter.failures) = ([.failed], [.deadline]) }
            if change == 2 { filter.placeID = 1 }
            if change == 4 { filter.returnCode = 3 }
            filters.append(filter)
        }
        for filter in filters {
            for newestFirst in [true, false] {
                _ = try reader.jobs(
                    filter, after: newestFirst ? Int.max : 0, limit: 9, newestFirst: newestFirst)
                _ = try reader.job(filter, afterMany: 3, newestFirst: newestFirst)
            }
            _ = try reader.count(filter, most: 9)
        }
    }

    /// All that an engine does, so that every statement is run once on the writer and on each of the readers.
    private func everything(_ test: TestEngine) async throws {
        let alice = try await test.user("alice")
        for round in 0..<4 {
            let key = IdempotencyKey(key: "k\(round)", request: [1])
            _ = try await test.register(alice, key: key)
            _ = try await test.register(alice, key: key)
            let entries = [
                ListingLine(directory: "/d", entry: ListingEntry(name: "f", kind: .file)),
                ListingLine(directory: "/d", entry: ListingEntry(name: "s", kind: .directory)),
                ListingLine(directory: "/d/s", entry: nil),
            ]
            let removal = try await test.listed(alice, .remove, entries)
            _ = try await test.listed(alice, .copy, entries)
            let worker = try await test.session()
            try await test.withDuties {
                for handout in try await test.claim(worker, limit: 100) {
                    for item in handout.items.indices {
                        _ = try await test.report(handout, handout.job.type == .copy ? 1 : 0, item: item)
                    }
                }
                for handout in try await test.claimSessionless() { _ = try await test.report(handout) }
                test.advance(seconds: 1)
                return try await test.engine.store.read { try $0.job(removal.id)?.status } == .done
            }
            let engine = test.engine
            _ = try await engine.change(queue: "default", ofUser: alice.id, limit: 1000 + round)
            _ = try await test.register(alice)
            let handout = try #require(try await test.claim(worker).first)
            let item = handout.items[0]
            let progress = Attempt.Progress(transferred: 1, elapsed: 1, instant: 1, average: 1)
            try await engine.progress(
                progress, job: handout.job.id, element: item.element.id, token: item.token)
            #expect(try await engine.store.read { try $0.progress(ofJob: handout.job.id) } == progress)
            _ = try await engine.heartbeat(session: worker.id, holding: [], HeartbeatRecord(), bearer: worker.bearer)
            _ = try await test.report(handout)
            _ = try await engine.endSession(ofWorker: "w")
            _ = try await engine.store.read { reader in
                _ = try reader.tokens(after: 0, limit: 10)
                _ = try reader.tokens(ofUser: alice.id, after: 0, limit: 10)
                _ = try reader.knownToken(hash: [UInt8](repeating: 0, count: 32))
                _ = try reader.token(worker.bearer.id)
                _ = try reader.lanesWithWork(
                    ofUser: alice.id, priority: 5, after: Lane.Place(turn: 0, id: 1), limit: 10)
                _ = try reader.hasReady(ofJob: 1, otherThan: .mkdir, most: 10)
            }
            _ = try await engine.store.write { try $0.revokeToken(worker.bearer.id, now: engine.world.now()) }
            let job = handout.job.id
            for all in [true, false] {
                _ = try await engine.store.read { reader in
                    try reader.endedAttempts(ofJob: job, latestOnly: all, after: (-1, 0), limit: 10)
                }
            }
            let waiting = try await test.register(alice).id
            _ = try await engine.explain(job: waiting)
            _ = try await engine.explain(element: 0, ofJob: waiting)
            _ = try await engine.cancel(job: waiting)
            try await drafts(test, alice, worker)
            try await pops(test, alice)
            let now = engine.world.now()
            _ = try await engine.store.write { writer in
                let server = try writer.findServer(id: nil, url: "http://a:1", run: "r", now: now)
                var next = try writer.findServer(id: server.id, url: "http://a:1", run: "s", now: now)
                #expect(next == server, "nothing was entered yet")
                next.run = "s"
                try writer.enterServer(next)
                #expect(try !writer.touchServer(server))
                #expect(try writer.touchServer(next))
                _ = try writer.reader.time()
                let id = AttemptID(jobID: job, elementID: 0, number: 1)
                #expect(try !writer.setServer(server.id, of: id, from: nil), "it has ended")
                #expect(try writer.forgetServers(unseenSince: now.adding(seconds: 1), limit: 10) == 1)
            }
            _ = try await engine.store.read { reader in
                _ = try reader.server(1)
                _ = try reader.server(at: "http://a:1")
                _ = try reader.isOver(logUID: handout.job.logUID)
                _ = try reader.latestAttempt(ofElement: 0, ofJob: job)
                _ = try reader.liveAttempt(ofElement: 0, ofJob: job)
                for status in [nil] + Status.allCases {
                    _ = try reader.elements(ofJob: job, status: status, after: 0, limit: 10)
                    _ = try reader.jobs(
                        JobFilter(
                            userID: alice.id, status: status, type: .copy, queue: "q", siteID: 1,
                            since: engine.world.now()),
                        after: 0, limit: 10)
                    _ = try reader.jobs(JobFilter(userID: alice.id, status: status), after: 0, limit: 10)
                }
                try lists(reader, alice)
            }
        }
    }
}
