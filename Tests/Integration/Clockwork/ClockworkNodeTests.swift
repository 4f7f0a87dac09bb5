import HaulHTTP
import HaulModel
import Support
import Testing

/// Workers as nodes: their states, and what they say of themselves.
@Suite(.server(), .timeLimit(.minutes(6))) struct ClockworkNodeTests {
    private func node(_ name: String, _ person: Person) async throws -> JSONValue {
        let answer = try await FaceClient(person.user, ClockworkRoutes.roots[0]).get("/nodes/one?node_name=\(name)")
        return try #require(answer["slurm"], "\(answer)")
    }

    /// From idle to full, and empty again: of one that goes on, and of one that is drained.
    @Test func states() async throws {
        let boss = try await LiveServer.ofSuite.caller(user: "chief", role: "operator")
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        func expect(_ state: String, _ holding: Int) async throws {
            let shown = try await node(worker.name, person)
            #expect(shown["state"] == .string(state) && shown["alloc_tres"] == .string("cpu=\(holding)"), "\(shown)")
            #expect(shown["cfg_tres"] == "cpu=4" && shown["cpus"] == 4)
            // Since when it gets no more work.
            let comment = shown["comment"]?.string ?? ""
            let isDrained = comment.wholeMatch(of: #/drained \d{4}-\d\d-\d\dT[\d:.]+Z/#) != nil
            #expect(isDrained == state.hasPrefix("DRAIN") && (isDrained || shown["comment"] == .null), "\(shown)")
        }
        func drain(_ isDrained: Bool) async throws {
            let body = Array("{\"drained\": \(isDrained)}".utf8)
            #expect(try await boss.send("PATCH", "/workers/\(worker.name)", body).status == 200)
        }
        try await expect("IDLE", 0)
        for number in 0..<4 { _ = try await person.mkdir("/\(number)") }
        var held = try await worker.take(1)
        try await expect("MIXED", 1)
        held += try await worker.take(3)
        try await expect("ALLOCATED", 4)
        try await drain(true)
        try await expect("DRAINING", 4)
        try await worker.finish(held.removeLast())
        try await expect("DRAINING", 3)
        try await drain(false)
        try await expect("MIXED", 3)
        for item in held { try await worker.finish(item) }
        try await expect("IDLE", 0)
        try await drain(true)
        try await expect("DRAINED", 0)
    }

    /// A heartbeat moves the time of the last, and the load is that of the one that said it last.
    @Test func heartbeats() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let session = JSONValue.int(try #require(worker.session))
        var last = try await node(worker.name, person)["last_heartbeat"]?.string ?? ""
        #expect(Timestamp(text: last) != nil)
        var known: JSONValue = .null
        for load: JSONValue in [0.25, 7, .null] {
            let before = last
            try await eventually("the time has moved") {
                let beat: JSONValue = ["session": session, "holding": [], "load": load]
                #expect(try await person.worker.post("/worker/heartbeat", beat).status == 200)
                return try await node(worker.name, person)["last_heartbeat"]?.string ?? "" > before
            }
            if !load.isNull { known = load }
            let shown = try await node(worker.name, person)
            // What is not said is as before.
            #expect(shown["cpu_load"] == known, "\(shown)")
            last = shown["last_heartbeat"]?.string ?? ""
        }
    }
}
