import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

/// Workers that a queue's user asks for, as jobs of a real Slurm cluster.
@Suite(.serialized, .timeLimit(.minutes(15))) struct SlurmLaunchTests {
    private func with(
        _ launch: String, partition: String = "main", _ body: (SlurmCluster, LaunchWorld) async throws -> Void
    ) async throws {
        let cluster = try await SlurmCluster.start()
        do {
            let keys =
                "slurm_conf: \"\(cluster.conf)\", sbatch: [\"--partition=\(partition)\"], poll_seconds: 0.3, \(launch)"
            try await LaunchWorld(by: "slurm", keys).run { try await body(cluster, $0) }
        } catch {
            await cluster.remove()
            throw error
        }
        await cluster.remove()
    }

    /// All is done, never by more than the limit says; then the jobs end by themselves.
    @Test func worksAndEnds() async throws {
        try await with("workers: 2, per_user: 3, idle_seconds: 2,") { cluster, world in
            let person = try await world.server.person()
            let jobs = try await person.sleeps(4, seconds: 1, in: "night")
            try await person.launch(3, "night")
            let seen = LaunchesSeen()
            try await eventually("all is done", within: .seconds(90)) {
                seen.look(try await cluster.jobs().count, world.folders)
                return try await person.areDone(jobs)
            }
            #expect((1...2).contains(seen.most))
            let first = try #require(try await person.launches("night").first)
            #expect(first["starts"] == 1)
            try await eventually("they end", within: .seconds(90)) {
                seen.look(try await cluster.jobs().count, world.folders)
                return try await person.states("night") == ["ended", "ended", "ended"]
            }
            #expect(seen.most <= 2 && !seen.tokens.isEmpty)
            #expect(try await cluster.jobs().isEmpty)
            try await eventually("nothing is left") { world.folders.isEmpty }
            for token in seen.tokens {
                #expect(!world.server.log.contains(token))
                #expect(try await person.user.with(token).get("/whoami").status == 401)
            }
        }
    }

    /// A queue of qdo's, whose user knows of nothing but qdo: workers come, do its tasks, and go.
    @Test func launchedThroughQdo() async throws {
        try await with("workers: 2, per_user: 2, idle_seconds: 2,") { cluster, world in
            let person = try await world.server.person()
            let client = QdoClient(person)
            #expect(try await client.send("PUT", "night").status == 201)
            let tasks = try await [0, 1, 2].asyncMap { try await client.add("list fake-a:/sleep/1/\($0)", to: "night") }
            let asked = try await client.launch(2, "night")
            #expect(asked["name"] == "night" && asked["workers"]?.array?.count == 2, "\(asked)")
            let seen = LaunchesSeen()
            try await eventually("all is done", within: .seconds(90)) {
                seen.look(try await cluster.jobs().count, world.folders)
                return try await client.get("night")["ntasks"]?["Succeeded"] == 3
            }
            #expect((1...2).contains(seen.most))
            for task in tasks {
                #expect(try await client.get("night/tasks/\(task)")["exitcode"] == 0)
                let one = try await person.user.get("/jobs/\(task)/elements/0")
                #expect(one["status"] == "DONE", "\(one)")
            }
            #expect(try await person.launches("night").count == 2)
            try await eventually("they end", within: .seconds(90)) {
                let workers = try await client.get("night")["workers"]?.array ?? []
                return workers.count == 2 && workers.allSatisfy { $0["state"] == "Ended" }
            }
            try await eventually("nothing is left") { try await cluster.jobs().isEmpty && world.folders.isEmpty }
        }
    }

    /// A job outlives the server that submitted it, which knows it again; with the queue it is cancelled.
    @Test func knowsItsOwnAgain() async throws {
        try await with("idle_seconds: 120,") { cluster, world in
            let person = try await world.server.person()
            let jobs = try await person.sleeps(1, seconds: 600, in: "night")
            try await person.launch(1, "night")
            try await eventually("it works", within: .seconds(60)) {
                try await person.user.get("/jobs/\(jobs[0])")["status"] == "RUNNING"
            }
            let before = try await cluster.jobs()
            #expect(before.count == 1 && before[0].hasPrefix("haul-"))
            #expect(try await person.launches("night")[0]["place"]?.string?.hasPrefix("Slurm job ") == true)
            await world.server.kill()
            try await world.server.start()
            // A stranger's job is none of ours, whatever it is called.
            _ = try await cluster.run("sbatch", "--job-name=haul-0-1.1", "--output=/dev/null", "--wrap=sleep 600")
            // Who starts another one has looked at what there is.
            try await person.launch(1, "night")
            try await eventually("it looked") { try await person.states("night") == ["running", "running"] }
            #expect(try await cluster.jobs().filter { before.contains($0) } == before)
            #expect(try await person.launches("night")[0]["starts"] == 1)
            #expect(try await person.user.send("DELETE", "/queues/night").status == 204)
            try await eventually("it is cancelled", within: .seconds(60)) {
                try await cluster.jobs() == ["haul-0-1.1"] && world.folders.isEmpty
            }
        }
    }

    /// A program that is not there, and an option that Slurm does not know: given up, and the user sees why.
    @Test func givesUp() async throws {
        try await with("worker: \"missing\", tries: 2, idle_seconds: 60,") { _, world in
            let person = try await world.server.person()
            #expect(try await person.user.put("/queues/night", [:]).status == 201)
            try await person.launch(1, "night")
            try await eventually("it is given up", within: .seconds(60)) {
                try await person.states("night") == ["ended"]
            }
            let launch = try #require(try await person.launches("night").first)
            #expect(launch["starts"] == 2 && launch["reason"]?.string?.hasSuffix("ended: FAILED") == true, "\(launch)")
        }
        try await with("tries: 2,", partition: "nowhere") { _, world in
            let person = try await world.server.person()
            #expect(try await person.user.put("/queues/night", [:]).status == 201)
            try await person.launch(1, "night")
            try await eventually("it is given up", within: .seconds(60)) {
                try await person.states("night") == ["ended"]
            }
            let launch = try #require(try await person.launches("night").first)
            #expect(launch["reason"] == "Slurm did not take the worker; the server's log says why")
            #expect(world.server.log.contains("Invalid partition"), "\(world.server.log)")
            try await eventually("nothing is left") { world.folders.isEmpty }
        }
    }
}
