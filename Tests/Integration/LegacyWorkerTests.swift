import HaulHTTP
import HaulModel
import Support
import Testing

/// Workers of the documented system: no session, plain names in listings, integers as text, `transferred` -1.
@Suite(.server()) struct LegacyWorkerTests {
    /// It gets only jobs of GRIDFTP, SSH and DUMMY, with credentials as strings.
    @Test func documentedProtocolsOnly() async throws {
        let person = try await newPerson()
        let worker = ActingWorker(sessionless: person.worker)
        for site in [3, 5, 6] { _ = try await person.list("x", ["src_siteid": .int(site)]) }
        _ = try await person.copy("a", "b", ["src_siteid": 12, "dst_siteid": 3])
        #expect(try await worker.ask().status == 404)
        let wanted = [
            try await person.list("x", ["src_siteid": 12]), try await person.copy("a", "b"),
            try await person.list("x", ["src_siteid": 7]),
        ]
        let held = try await worker.take()
        #expect(held.map(\.jobID).sorted() == wanted.sorted())
        #expect(held.allSatisfy { $0.job["src_credentials"] == "" })
        #expect(held.first { $0.jobID == wanted[1] }?.job["dst_credentials"] == "")
        #expect(held.map { $0.job["protocol"] ?? .null }.allSatisfy { $0.int != nil })
    }

    /// The documented claim and outcome, in the forms that such a worker sends.
    @Test func documentedForms() async throws {
        let person = try await newPerson()
        let id = try await person.list("/root", ["src_siteid": 12])
        let claim = try await person.worker.post(
            "/worker/jobs", ["types": [0, 1, 2, 3, 4], "algorithm": "BY_NUMBER", "algorithm.args": ["limit": "5"]])
        let held = try #require(try Held.all(in: claim).first)
        #expect(held.jobID == id)
        let until = try #require(held.element["lease_until"]?.string)
        #expect(until > (held.element["timestamp"]?.string ?? ""))
        let answer = try await person.worker.with(nil).put(
            held.path,
            [
                "returncode": "0", "host": ["node1", "10.0.0.1"], "log": "ls", "timestamp": 1.5,
                "listing": ["/root": ["file1", "file2", "dir/", ["name": "o", "st_size": "7"]]],
            ], headers: ["X-Token": held.token])
        #expect(answer.status == 200 && answer.json.object != nil, "no 204")
        let output = try await person.user.get("/jobs/\(id)/elements/0/output")
        #expect(output["listing"] == ["/root": ["file1", "file2", "dir/", "o"]], "\(output)")
        #expect(output["status"] == "DONE" && output["log"] == "ls")
    }

    /// A COPY's empty directories are made by others; its files are its own. -1 is the element's size.
    @Test func noMkdirOfACopy() async throws {
        let person = try await newPerson()
        let worker = ActingWorker(sessionless: person.worker)
        let id = try await person.copy("/s", "/d")
        try await worker.finish(
            try await worker.takeOne(),
            ["listing": ["/s": [entry("f", size: 42), entry("empty", isDirectory: true)], "/s/empty": []]])
        let file = try await worker.takeOne()
        #expect(file.source == "/s/f")
        #expect(
            try await worker.caller.with(file.token).put(
                file.path + "/monitoring", ["transferred": "-1", "elapsed": "1.0", "instant": "2", "average": 3]
            ).status == 200)
        let status = try await person.user.get("/jobs/\(id)/elements/\(file.id)/status")
        #expect(status["transferred"] == 42 && status["status"] == "RUNNING", "\(status)")
        try await worker.finish(file, ["transferred": -1])
        #expect(try await worker.take().isEmpty, "the MKDIR waits")
        #expect(try await person.status(id) == "SUBMITTED")
        let held = try await ActingWorker(person.worker).takeOne()
        #expect(held.type == .mkdir && held.source == "/d/empty")
        try await ActingWorker(person.worker).finish(held)
        #expect(try await person.status(id) == "DONE")
        // A MKDIR job is no such thing.
        _ = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/m"])
        #expect(try await worker.takeOne().type == .mkdir)
    }
}
