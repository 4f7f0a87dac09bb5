import HaulHTTP
import HaulModel
import Support
import Testing

/// A job is one job, whichever face it was registered through: all the others show it, in the state that the table of
/// faces has for it.
@Suite(.server(), .timeLimit(.minutes(10))) struct EveryFaceTests {
    /// The faces that register jobs; of qdo's some are run by workers, and some popped and reported by who asked for them.
    enum Face: CaseIterable {
        case native, uws, qdo, popped, overview

        var queue: String { self == .qdo || self == .popped ? "q" : "default" }
    }

    /// Where a job stands, in the order of the table.
    enum Standing: CaseIterable {
        case uncommitted, waiting, paused, running, done, failed, expired, lost, cancelled

        /// What each face calls it.
        var names: (native: String, uws: String, qdo: String, clockwork: String) {
            switch self {
            case .uncommitted: ("uncommitted", "PENDING", "Waiting", "PENDING")
            case .waiting, .paused: ("waiting", "QUEUED", "Pending", "PENDING")
            case .running: ("executing", "EXECUTING", "Running", "RUNNING")
            case .done: ("done", "COMPLETED", "Succeeded", "COMPLETED")
            case .failed: ("failed", "ERROR", "Failed", "FAILED")
            case .expired: ("failed", "ERROR", "Failed", "TIMEOUT")
            case .lost: ("failed", "ERROR", "Failed", "NODE_FAIL")
            case .cancelled: ("cancelled", "ABORTED", "Failed", "CANCELLED")
            }
        }
    }

    /// All that can be: a task of qdo and a database of Overview are committed at once, what is popped is no worker's to
    /// lose, and a database that a worker lost is tried again for minutes.
    static let pairs = Face.allCases.flatMap { face in Standing.allCases.map { (face, $0) } }.filter { face, standing in
        switch (face, standing) {
        case (.qdo, .uncommitted), (.popped, .uncommitted), (.overview, .uncommitted), (.popped, .lost),
            (.overview, .lost):
            false
        default: true
        }
    }

    private struct Made {
        var id: Int
        var queue = "default"
        /// Who asked Overview for it, and still reads.
        var reader: (OverviewReader, Task<Void, any Error>)?
    }

    @Test(arguments: pairs) func agree(_ face: Face, _ standing: Standing) async throws {
        let person = try await newPerson()
        if standing == .paused { try await pause(face, person) }
        let made = try await register(face, standing, person)
        if face == .popped {
            try await pop(made.id, to: standing, person)
        } else {
            try await bring(made.id, to: standing, person)
        }
        try await natively(made, standing, person)
        try await inUWS(face, made, standing, person)
        try await inQdo(made, standing, person)
        try await inClockwork(face, made, standing, person)
        try await inOverview(face, made, standing, person)
    }

    private func pause(_ face: Face, _ person: Person) async throws {
        if face.queue == "q" { _ = try await QdoClient(person).send("PUT", "q") }
        let answer = try await person.user.send("PATCH", "/queues/\(face.queue)", Array("{\"paused\": true}".utf8))
        try #require(answer.status == 200, "\(answer)")
    }

    // MARK: Registering

    private func register(_ face: Face, _ standing: Standing, _ person: Person) async throws -> Made {
        let deadline = standing == .expired ? "2020-01-01T00:00:00Z" : "2090-01-01T00:00:00Z"
        switch face {
        case .native:
            let document: JSONValue = [
                "type": "list", "src_siteid": 1, "src_filepath": "/x", "max_tries": 1, "deadline": .string(deadline),
            ]
            let draft = try await person.user.post("/drafts", document)
            let id = try #require(draft["id"]?.int, "\(draft)")
            if standing != .uncommitted { _ = try await person.user.post("/jobs/\(id)/commit", [:]) }
            return Made(id: id)
        case .uws:
            let client = UWSClient(person.user)
            let job = try await client.make(
                "list", ["SRC_SITEID": "ssh-a", "src_filepath": "/x", "max_tries": "1", "deadline": deadline])
            if standing != .uncommitted { try await client.post(job + "/phase", ["PHASE": "RUN"]) }
            return Made(id: try #require(Int(job.dropFirst("/list/".utf8.count))))
        case .qdo, .popped:
            let client = QdoClient(person)
            _ = try await client.send("PUT", "q")
            if face == .qdo { #expect(try await client.send("POST", "q/launch").status == 202) }
            let task = try await client.add("list ssh-a:/x max_tries=1 deadline=\(deadline)", to: "q")
            return Made(id: try #require(Int(task)), queue: "q")
        case .overview:
            let reader = OverviewReader()
            let task = reader.follow(FaceClient(person.user, OverviewRoutes.root), Self.database)
            try await eventually("the stream has begun") { !reader.events.isEmpty }
            let id = try #require(try await ids(person).last)
            // It does not ask for one, but has one then.
            if standing == .expired {
                let change = Array("{\"deadline\": \"\(deadline)\"}".utf8)
                #expect(try await person.user.send("PATCH", "/jobs/\(id)", change).status == 200)
            }
            return Made(id: id, reader: (reader, task))
        }
    }

    /// The listing that Overview makes of its database, registered through another face.
    private func registerDatabase(_ face: Face, _ standing: Standing, _ person: Person) async throws -> Int {
        switch face {
        case .uws:
            let uws = UWSClient(person.user)
            let job = try await uws.make("list", ["SRC_SITEID": "ssh-a", "src_filepath": "/x/"])
            try await uws.post(job + "/phase", ["PHASE": "RUN"])
            return try #require(Int(job.dropFirst("/list/".utf8.count)))
        case .qdo:
            // What is DONE waits in no queue.
            let queue = standing == .done ? "q" : "default"
            let qdo = QdoClient(person)
            _ = try await qdo.send("PUT", queue)
            #expect(try await qdo.send("POST", "\(queue)/launch").status == 202)
            let task = try await qdo.add("list ssh-a:/x max_tries=3", to: queue)
            return try #require(Int(task))
        default: return try await person.list("/x", ["priority": 3])
        }
    }

    /// Overview finds an equal listing that another face registered, and no second job begins.
    @Test(arguments: [Face.native, .uws, .qdo], [Standing.waiting, .running, .done])
    func othersAreDatabases(_ face: Face, _ standing: Standing) async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, OverviewRoutes.root)
        let id = try await registerDatabase(face, standing, person)
        let search = "/search?server=ssh-a&documentSetId=/x"
        if standing == .done {
            try await bring(id, to: .done, person)
            #expect(try await client.get(search + "&q=a")[0]?["path"] == "/x/a")
            #expect(try await client.form("POST", "/generate", Self.database).text == "[]")
        } else {
            let worker = try await ActingWorker(person.worker)
            let early = standing == .running ? try await worker.takeOne() : nil
            let reader = OverviewReader()
            let task = reader.follow(client, Self.database)
            try await eventually("the stream has begun") { !reader.events.isEmpty }
            #expect(try await ids(person) == [id])
            #expect(try await client.get(search).status == 404)
            let held = if let early { early } else { try await worker.takeOne() }
            try await worker.finish(held, ["listing": ["/x": [entry("a")]]])
            try await task.value
            #expect(reader.events.last?["returncode"] == 0, "\(reader.events)")
            #expect(try await client.get(search)[0]?["path"] == "/x/a")
        }
        #expect(try await ids(person) == [id])
    }

    /// What failed or was cancelled is forgotten, whichever face it came through: who asks Overview next gets a new job, and
    /// who asks then joins that.
    @Test(arguments: [Face.native, .uws, .qdo, .overview], [Standing.failed, .cancelled])
    func failuresAreForgotten(_ face: Face, _ standing: Standing) async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, OverviewRoutes.root)
        let id: Int
        if face == .overview {
            let made = try await register(face, standing, person)
            id = made.id
            try await bring(id, to: standing, person)
            try await made.reader?.1.value
        } else {
            id = try await registerDatabase(face, standing, person)
            try await bring(id, to: standing, person)
        }
        let status: JSONValue = standing == .failed ? "FAILED" : "CANCELLED"
        #expect(try await person.user.get("/jobs/\(id)")["status"] == status)
        #expect(try await client.get("/search?server=ssh-a&documentSetId=/x").status == 404)
        let (first, second) = (OverviewReader(), OverviewReader())
        let waiting = first.follow(client, Self.database)
        try await eventually("the stream has begun") { !first.events.isEmpty }
        #expect(first.events.last?["returncode"] == .null, "\(first.text)")
        let all = try await ids(person)
        let new = try #require(all.last)
        #expect(all == [id, new] && new != id)
        let another = second.follow(client, Self.database)
        try await eventually("so has the other") { !second.events.isEmpty }
        #expect(try await ids(person) == [id, new])
        try await bring(new, to: .done, person)
        for (reader, task) in [(first, waiting), (second, another)] {
            try await task.value
            #expect(reader.events.last?["returncode"] == 0, "\(reader.text)")
        }
        #expect(try await client.form("POST", "/generate", Self.database).text == "[]")
        #expect(try await person.user.get("/jobs/\(id)")["status"] == status)
        #expect(try await ids(person) == [id, new])
    }

    private static let database: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/x"]

    private func ids(_ person: Person, _ query: String = "") async throws -> [Int] {
        let answer = try await person.user.get("/jobs" + query)
        return try #require(answer.json.array, "\(answer)").compactMap { $0["id"]?.int }
    }

    private func bring(_ id: Int, to standing: Standing, _ person: Person) async throws {
        func taken() async throws -> (ActingWorker, Held) {
            let worker = try await ActingWorker(person.worker)
            let held = try await worker.takeOne()
            #expect(held.jobID == id)
            return (worker, held)
        }
        switch standing {
        case .uncommitted, .waiting, .paused: break
        case .running: _ = try await taken()
        case .done:
            let (worker, held) = try await taken()
            try await worker.finish(held, ["listing": ["/x": [entry("a")]]])
        case .failed:
            let (worker, held) = try await taken()
            try await worker.report(held, 1, ["error_class": "permission", "reason": "it is so"])
        case .lost:
            let (worker, held) = try await taken()
            try await worker.report(held, 1, ["error_class": "lost", "reason": "it is so"])
        case .expired: try await person.await(id, "FAILED")
        case .cancelled: #expect(try await person.user.send("DELETE", "/jobs/\(id)").status == 200)
        }
    }

    private func pop(_ id: Int, to standing: Standing, _ person: Person) async throws {
        let client = QdoClient(person)
        func popped(_ outcome: JSONValue?) async throws {
            #expect(try await client.pop("q")?["id"] == .string("\(id)"))
            guard let outcome else { return }
            let answer = try await client.send("PUT", "q/tasks/\(id)", outcome)
            #expect(answer.status == 200, "\(answer)")
        }
        switch standing {
        case .running: try await popped(nil)
        case .done: try await popped(["state": "Succeeded", "err": 0])
        case .failed: try await popped(["state": "Failed", "err": 12, "message": "it is so"])
        default: try await bring(id, to: standing, person)
        }
    }

    // MARK: Reading

    private func natively(_ made: Made, _ standing: Standing, _ person: Person) async throws {
        for stage in JobStage.allCases.map({ "\($0)" }) {
            let found = try await ids(person, "?stage=\(stage)")
            #expect(found == (stage == standing.names.native ? [made.id] : []), "stage=\(stage)")
        }
    }

    private func inUWS(_ face: Face, _ made: Made, _ standing: Standing, _ person: Person) async throws {
        let client = UWSClient(person.user)
        for list in ["transfer", "async", "list"] {
            #expect(try await client.phase("/\(list)/\(made.id)") == standing.names.uws)
            #expect(try await client.get("/\(list)?PHASE=\(standing.names.uws)").jobrefs == [made.id])
        }
        #expect(try await client.get("/copy/\(made.id)").status == 404)
        let log = try await client.get("/list/\(made.id)/results/log-0")
        let isTried = [.done, .failed, .lost].contains(standing)
        #expect(log.status == (isTried && face != .popped ? 200 : 404), "what is popped has no log")
        let error = try await client.get("/list/\(made.id)/error")
        #expect(error.status == ([.failed, .expired, .lost].contains(standing) ? 200 : 404))
        if standing == .failed { #expect(error.text == (face == .popped ? "Element 0: it is so\n" : "done\n")) }
    }

    private func inQdo(_ made: Made, _ standing: Standing, _ person: Person) async throws {
        let client = QdoClient(person)
        let task = try await client.get("\(made.queue)/tasks/\(made.id)")
        #expect(task["state"] == .string(standing.names.qdo) && task["id"] == .string("\(made.id)"), "\(task)")
        #expect((standing == .cancelled) == (task["message"]?.string?.contains("cancelled") == true), "\(task)")
        let found = try await client.get("\(made.queue)/tasks/?state=\(standing.names.qdo)")
        #expect(found.json.array?.compactMap { $0["id"]?.string } == ["\(made.id)"], "\(found)")
        #expect(try await client.get(made.queue)["ntasks"]?[standing.names.qdo] == 1)
    }

    private func inClockwork(_ face: Face, _ made: Made, _ standing: Standing, _ person: Person) async throws {
        let client = FaceClient(person.user, ClockworkRoutes.roots[0])
        let one = try await client.get("/jobs/one?job_id=\(made.id)")
        #expect(one["slurm"]?["job_state"] == .string(standing.names.clockwork), "\(one)")
        #expect(one["slurm"]?["partition"] == .string(made.queue))
        let hasFailed = [.failed, .expired, .lost].contains(standing)
        let code = face == .popped && standing == .failed ? 12 : hasFailed ? 1 : 0
        #expect(one["slurm"]?["exit_code"] == .string("\(code):0"), "\(one)")
        let isTried = [.running, .done, .failed, .lost].contains(standing)
        #expect((one["slurm"]?["nodes"]?.string != nil) == (isTried && face != .popped), "\(one)")
        let found = try await client.get("/jobs/list?job_state=\(standing.names.clockwork)")
        #expect(found.json.array?.compactMap { $0["slurm"]?["job_id"]?.string } == ["\(made.id)"], "\(found)")
    }

    /// Overview shows what was asked for through it, and tells how it ended to who waits for it.
    private func inOverview(_ face: Face, _ made: Made, _ standing: Standing, _ person: Person) async throws {
        guard face == .overview, let (reader, task) = made.reader else { return }
        let client = FaceClient(person.user, OverviewRoutes.root)
        switch standing {
        case .uncommitted, .waiting, .paused, .running:
            #expect(reader.events.last?["returncode"] == .null)
            // Another who asks stands by the same job.
            let other = OverviewReader()
            let second = other.follow(client, Self.database)
            try await eventually("it is told to another, too") { !other.events.isEmpty }
            #expect(try await ids(person) == [made.id])
            second.cancel()
            task.cancel()
        case .done:
            try await task.value
            #expect(reader.events.last?["returncode"] == 0 && reader.events.last?["fraction"] == 1)
            #expect(try await client.form("POST", "/generate", Self.database).text == "[]")
            #expect(try await ids(person) == [made.id])
        case .failed, .cancelled, .expired, .lost:
            try await task.value
            #expect(reader.events.last?["returncode"] == 1, "\(reader.events)")
        }
    }
}
