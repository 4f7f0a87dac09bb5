import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

/// Workers that a queue's user asks for, as children of the server.
@Suite(.timeLimit(.minutes(4))) struct LaunchTests {
    /// Two at once where three were asked for; all is done, all of them end, and what they had is worth nothing then.
    @Test func worksAndEnds() async throws {
        try await LaunchWorld("workers: 2, per_user: 3, idle_seconds: 2,").run { world in
            let person = try await world.server.person()
            let jobs = try await person.sleeps(4, seconds: 1, in: "night")
            let other = try await person.sleeps(1, seconds: 0, in: "day")
            let stranger = try await world.server.person()
            _ = try await stranger.sleeps(1, seconds: 0, in: "night")
            // Any worker may have these.
            try await person.open("day")
            try await stranger.open("night")
            #expect(try await person.states("night") == [])
            try await person.launch(3, "night")
            let seen = LaunchesSeen()
            try await eventually("all is done", within: .seconds(60)) {
                for pid in world.workers {
                    let told = Processes.words(of: pid) + Processes.environment(of: pid)
                    #expect(!told.contains { $0.contains("haul_") })
                }
                seen.look(world.workers.count, world.folders)
                return try await person.areDone(jobs)
            }
            #expect(seen.most == 2)
            // Two seconds each, not the half minute that a claim may wait.
            try await eventually("they end", within: .seconds(60)) {
                seen.look(world.workers.count, world.folders)
                return try await person.states("night") == ["ended", "ended", "ended"]
            }
            try await eventually("nothing is left") { world.workers.isEmpty && world.folders.isEmpty }
            #expect(seen.most == 2)
            #expect(try await person.launches("night").allSatisfy { $0["reason"] == nil && $0["starts"] == 1 })
            // What was not theirs waits as before.
            #expect(try await person.user.get("/jobs/\(other[0])")["status"] == "SUBMITTED")
            #expect(seen.tokens.count == 3)
            for token in seen.tokens {
                #expect(!world.server.log.contains(token))
                #expect(try await person.user.with(token).get("/whoami").status == 401)
            }
        }
    }

    /// What a worker shows lets it do nothing but this user's queue.
    @Test func tokenIsNarrow() async throws {
        try await LaunchWorld("idle_seconds: 60,").run { world in
            let person = try await world.server.person()
            _ = try await person.sleeps(1, seconds: 0, in: "day")
            try await person.open("day")
            let long = try await person.sleeps(1, seconds: 600, in: "night")
            let stranger = try await world.server.person()
            _ = try await stranger.user.put("/queues/night", [:])
            _ = try await stranger.user.post(
                "/list", ["src_siteid": "fake-a", "src_filepath": "/x", "queue": "night"])
            try await person.launch(1, "night")
            try await eventually("it has its hands full", within: .seconds(60)) {
                try await person.user.get("/jobs/\(long[0])")["status"] == "RUNNING"
            }
            let folder = try #require(world.folders.first)
            let token = try String(contentsOfFile: folder + "/token", encoding: .utf8)
                .trimmingCharacters(in: .newlines)
            let thief = person.user.with(token)
            let session = try await thief.post(
                "/worker/register", ["name": "thief", "slots": 4, "protocols": ["fake"]])
            let number = try #require(session["session"])
            let claim = try await thief.post("/worker/jobs", ["types": [0], "session": number, "protocols": ["FAKE"]])
            #expect(claim.status == 404, "\(claim)")
            let next = try await person.register(
                "list", ["src_siteid": "fake-a", "src_filepath": "/y", "queue": "night"])
            let its = try await thief.post("/worker/jobs", ["types": [0], "session": number, "protocols": ["FAKE"]])
            #expect(its.status == 200 && its.text.contains("\"job_id\":\(next)"), "\(its)")
            #expect(try await thief.get("/jobs").status == 403)
            #expect(try await thief.post("/tokens", [:]).status == 403)
            #expect(try await thief.post("/queues/night/launch", [:]).status == 403)
        }
    }

    /// With its queue a worker goes, and all that it runs.
    @Test func goesWithItsQueue() async throws {
        try await LaunchWorld("workers: 2, idle_seconds: 60,").run { world in
            let person = try await world.server.person()
            let qdo = QdoClient(person)
            #expect(try await qdo.send("PUT", "night").status == 201)
            for number in 0..<4 { _ = try await qdo.add("list fake-a:/sleep/600/\(number)", to: "night") }
            let launched = try await qdo.send("POST", "night/launch", ["nworkers": 2])
            #expect(launched.status == 202 && launched["workers"]?.array?.count == 2, "\(launched)")
            try await eventually("both work", within: .seconds(60)) {
                try await qdo.get("night")["ntasks"]?["Running"] == 2
            }
            let workers = world.workers
            #expect(workers.count == 2)
            let backends = { @Sendable in workers.flatMap { Processes.children(of: $0) } }
            try await eventually("each has its backend") { backends().count >= 2 }
            let all = workers + backends()
            #expect(try await qdo.send("DELETE", "night").status == 200)
            try await eventually("all are gone", within: .seconds(60)) {
                !all.contains(where: Processes.isAlive) && world.folders.isEmpty
            }
            // One of its name has none of them.
            #expect(try await qdo.send("PUT", "night").status == 201)
            #expect(try await person.states("night").allSatisfy { $0 == "ended" })
        }
    }

    /// Who asked for them may have them ended; and nobody has more than the limit.
    @Test func endsOnDemand() async throws {
        try await LaunchWorld("per_user: 2, idle_seconds: 300,").run { world in
            let person = try await world.server.person()
            let jobs = try await person.sleeps(1, seconds: 600, in: "night")
            #expect(try await person.user.post("/queues/night/launch", ["workers": 0]).status == 400)
            #expect(try await person.user.post("/queues/other/launch", [:]).status == 404)
            let many = try await person.user.post("/queues/night/launch", ["workers": 3])
            #expect(many.status == 409 && many["code"] == "too_many_workers", "\(many)")
            #expect(try await person.states("night") == [])
            try await person.launch(2, "night")
            #expect(try await person.user.post("/queues/night/launch", [:]).status == 409)
            // Others have their own.
            let other = try await world.server.person()
            _ = try await other.user.put("/queues/night", [:])
            try await other.launch(1, "night")
            try await eventually("one works", within: .seconds(60)) {
                try await person.user.get("/jobs/\(jobs[0])")["status"] == "RUNNING"
            }
            #expect(try await person.user.send("DELETE", "/queues/night/launch").status == 204)
            try await eventually("they end", within: .seconds(60)) {
                try await person.states("night") == ["ended", "ended"]
            }
            #expect(try await person.user.get("/jobs/\(jobs[0])")["status"] == "SUBMITTED")
            #expect(try await other.states("night") != ["ended"])
            // Their numbers are taken again.
            try await person.launch(1, "night")
            #expect(try await person.launches("night").count == 2)
        }
    }

    /// What was asked for before a power cut is started after it, and what was there is not there twice.
    @Test func outlivesAPowerCut() async throws {
        try await LaunchWorld("workers: 1, per_user: 4, idle_seconds: 1,").run { world in
            let person = try await world.server.person()
            let first = try await person.sleeps(1, seconds: 3, in: "first")
            let second = try await person.sleeps(1, seconds: 0, in: "second")
            try await person.launch(1, "first")
            try await eventually("it works", within: .seconds(60)) {
                try await person.user.get("/jobs/\(first[0])")["status"] == "RUNNING"
            }
            let old = world.workers
            #expect(old.count == 1)
            try await person.launch(1, "second")
            #expect(try await person.states("second") == ["waiting"])
            await world.server.kill()
            try await eventually("the kernel ended it") { !old.contains(where: Processes.isAlive) }
            try await world.server.start()
            try await eventually("all is done", within: .seconds(60)) {
                let count = world.workers.count
                #expect(count <= 1)
                return try await person.areDone(first + second)
            }
            try await eventually("they end", within: .seconds(60)) {
                try await person.states("first") + person.states("second") == ["ended", "ended"]
            }
            #expect(try await person.launches("first").first?["starts"] == 2)
            #expect(try await person.launches("second").first?["starts"] == 1)
            try await eventually("nothing is left") { world.folders.isEmpty }
        }
    }

    /// When the server ends in good order its workers do, too; they come back with it.
    @Test func endsWithTheServer() async throws {
        try await LaunchWorld("idle_seconds: 60,").run { world in
            let person = try await world.server.person()
            let jobs = try await person.sleeps(1, seconds: 600, in: "night")
            try await person.launch(1, "night")
            try await eventually("it works", within: .seconds(60)) {
                try await person.user.get("/jobs/\(jobs[0])")["status"] == "RUNNING"
            }
            let all = world.workers + world.workers.flatMap { Processes.children(of: $0) }
            #expect(all.count >= 2)
            #expect(await world.server.stop() == .exited(0))
            #expect(!all.contains(where: Processes.isAlive))
            #expect(world.folders.isEmpty)
            try await world.server.start()
            try await eventually("it is there again", within: .seconds(60)) { world.workers.count == 1 }
        }
    }

    /// A program that is not there, one that dies at once: given up after so many tries, and its user sees why.
    @Test(arguments: [
        (
            "missing", "the worker's program is not there; operators: `launch.worker` in hauld.json5",
            "cannot be started"
        ),
        ("dying", "the worker ended with exit code 3; the server's log has its last words", "said=I can't go on"),
    ])
    func givesUp(_ program: String, reason: String, logged: String) async throws {
        let launch = "worker: \"\(program)\", tries: 3, idle_seconds: 60,"
        try await LaunchWorld(launch) {
            $0.retryBase = 3
            $0.retryMaximum = 3
        }.run { world in
            let person = try await world.server.person()
            let qdo = QdoClient(person)
            if program == "dying" {
                let path = world.server.folder + "/dying"
                try "#!/bin/sh\necho \"I can't go on\" >&2\nexit 3\n".write(
                    toFile: path, atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            #expect(try await qdo.send("PUT", "night").status == 201)
            let began = ContinuousClock.now
            #expect(try await qdo.send("POST", "night/launch").status == 202)
            try await eventually("it waits") {
                let launch = try await person.launches("night").first
                return launch?["state"] == "waiting" && launch?["until"] != nil && launch?["reason"] != nil
            }
            try await eventually("it is given up", within: .seconds(60)) {
                try await person.states("night") == ["ended"]
            }
            // Twice half of three seconds at least.
            #expect(ContinuousClock.now - began >= .seconds(2.9))
            let launch = try await person.launches("night").first
            #expect(launch?["starts"] == 3 && launch?["reason"]?.string == reason, "\(String(describing: launch))")
            let worker = try await qdo.get("night")["workers"]?[0]
            #expect(worker?["state"] == "Ended" && worker?["reason"]?.string == reason)
            #expect(world.server.log.contains(logged), "\(world.server.log)")
            try await eventually("nothing is left") { world.folders.isEmpty }
            #expect(
                try await person.user.get("/tokens").json.array?.contains {
                    $0["revoked"] == nil && $0["role"] == "worker"
                } == false)
            // Asked for once more, it is tried once more.
            #expect(try await qdo.send("POST", "night/launch").status == 202)
            try await eventually("again") { try await person.launches("night").first?["starts"] == 4 }
        }
    }

    /// Two servers of a database share out what was asked of one of them; what is wanted no more goes at both.
    @Test func sharedOut() async throws {
        let url = try await TestDatabase.makePostgreSQL()
        let logs = NSTemporaryDirectory() + "haul-launch-logs-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: logs) }
        let change: (inout LiveServer.Settings) -> Void = {
            $0.store = url
            $0.logs = "\"\(logs)\""
        }
        let launch = "workers: 2, per_user: 5, idle_seconds: 120,"
        try await LaunchWorld(launch, change).run { first in
            try await LaunchWorld(launch, change).run { second in
                let person = try await first.server.person()
                let there = person.at(second.server)
                _ = try await person.sleeps(8, seconds: 600, in: "night")
                try await person.launch(5, "night")
                try await eventually("all that may be are there", within: .seconds(60)) {
                    try await there.states("night").count { $0 == "running" } == 4
                }
                let workers = first.workers + second.workers
                #expect(first.workers.count == 2 && second.workers.count == 2)
                #expect(try await there.launches("night").compactMap { $0["starts"]?.int }.reduce(0, +) == 4)
                #expect(try await there.user.send("DELETE", "/queues/night/launch").status == 204)
                try await eventually("all end", within: .seconds(60)) {
                    !workers.contains(where: Processes.isAlive)
                }
                try await eventually("for good") {
                    try await person.states("night").allSatisfy { $0 == "ended" }
                }
            }
        }
    }

    /// Whose name is shut gets no worker.
    @Test func shutNames() async throws {
        try await LaunchWorld("workers: 1, idle_seconds: 60,").run { world in
            let person = try await world.server.person()
            let boss = try await world.server.caller(user: "boss", role: "operator")
            _ = try await person.user.put("/queues/night", [:])
            try await person.launch(1, "night")
            try await eventually("it is there") { world.workers.count == 1 }
            #expect(
                try await boss.send("PATCH", "/users/\(person.name)", Array(#"{"disabled": true}"#.utf8)).status == 200)
            try await eventually("it is ended for good", within: .seconds(60)) {
                let launch = try await boss.get("/queues/night/launch?user=\(person.name)").json[0]
                return launch?["state"] == "ended" && launch?["reason"] == "nobody gets in under the user's name"
            }
            #expect(world.workers.isEmpty)
        }
    }

    /// Where none are started: the native API says so, qdo opens the queue.
    @Test func withoutALauncher() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let qdo = QdoClient(person)
        #expect(try await qdo.send("PUT", "night").status == 201)
        let answer = try await person.user.post("/queues/night/launch", [:])
        #expect(answer.status == 409 && answer["code"] == "launches_nothing", "\(answer)")
        #expect(try await person.user.get("/queues")[0]?["pop"] == true)
        #expect(try await qdo.send("POST", "night/launch").status == 202)
        #expect(try await person.user.get("/queues")[0]?["pop"] == nil)
        await server.remove()
    }
}
