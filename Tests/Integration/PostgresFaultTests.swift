import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

/// A PostgreSQL server that dies or stands still under a hauld: what was acknowledged is there, nothing else is, and it
/// goes on by itself.
@Suite(.timeLimit(.minutes(4))) struct PostgresFaultTests {
    private func withServer(
        _ body: (PostgresCluster, _ database: String, LiveServer) async throws -> Void
    ) async throws {
        // On disk before it is said: it is going to be killed.
        let cluster = try await PostgresCluster.start(isDurable: true)
        var settings = LiveServer.Settings()
        settings.store = try await cluster.makeDatabase("haul")
        let server = try await LiveServer.start(settings)
        do { try await body(cluster, "haul", server) } catch {
            await server.remove()
            await cluster.stop()
            throw error
        }
        #expect(server.process?.status == nil, "hauld ended: \(server.log.suffix(2000))")
        await server.remove()
        await cluster.stop()
    }

    private static func expectUnavailable(_ answer: Answer) {
        #expect(answer.status == 503, "\(answer)")
        #expect(answer.headers["Content-Type"] == "application/problem+json")
        #expect(answer.headers["Retry-After"].flatMap { Int($0) }.map { $0 > 0 } == true)
        for key in ["code", "detail", "hint"] { #expect(answer[key]?.string?.isEmpty == false) }
        for secret in ["postgres", "libpq", "127.0.0.1", "SELECT", "BEGIN"] {
            #expect(!answer.text.contains(secret), "\(answer)")
        }
    }

    /// What goes on while the database dies.
    private final class Load: Sendable {
        let acknowledged = Mutex<Set<Int>>([])
        let isOver = Mutex(false)
    }

    private func everyJob(of person: Person) async throws -> [JSONValue] {
        let lines = Lines()
        // Who had just found the database gone says so for a moment longer.
        try await eventually("jobs are listed") {
            let answer = try await person.user.get("/jobs", headers: ["Accept": "application/x-ndjson"])
            if answer.status != 200 { Self.expectUnavailable(answer) }
            lines.all.withLock { $0 = answer.lines }
            return answer.status == 200
        }
        return lines.all.withLock { $0 }
    }

    private final class Lines: Sendable { let all = Mutex<[JSONValue]>([]) }

    @Test func killedUnderLoad() async throws {
        try await withServer { cluster, _, server in
            let person = try await server.person()
            let worker = try await ActingWorker(person.worker)
            let load = Load()
            try await withThrowingTaskGroup { group in
                for task in 0..<8 {
                    group.addTask {
                        var number = 0
                        while !load.isOver.withLock({ $0 }) {
                            number += 1
                            let answer = try await person.user.post(
                                "/mkdir", ["src_siteid": 1, "src_filepath": .string("/\(task)/\(number)")])
                            if answer.status == 200, let id = answer["id"]?.int {
                                _ = load.acknowledged.withLock { $0.insert(id) }
                            } else {
                                Self.expectUnavailable(answer)
                            }
                        }
                    }
                }
                group.addTask {
                    // What is refused is said again, what was taken already is known.
                    while !load.isOver.withLock({ $0 }) {
                        let answer = try await worker.ask(["algorithm": "BY_NUMBER", "algorithm.args": ["limit": 5]])
                        guard answer.status == 200 else {
                            if answer.status != 404 { Self.expectUnavailable(answer) }
                            continue
                        }
                        for held in try Held.all(in: answer) {
                            while true {
                                let verdict = try await worker.report(held)
                                if verdict.status == 200 { break }
                                Self.expectUnavailable(verdict)
                                if load.isOver.withLock({ $0 }) { break }
                            }
                        }
                    }
                }
                for _ in 0..<3 {
                    let before = load.acknowledged.withLock { $0.count }
                    try await eventually("it registers", within: .seconds(60)) {
                        load.acknowledged.withLock { $0.count } > before + 20
                    }
                    await cluster.kill()
                    try await cluster.start()
                }
                let before = load.acknowledged.withLock { $0.count }
                try await eventually("it goes on", within: .seconds(60)) {
                    load.acknowledged.withLock { $0.count } > before + 20
                }
                load.isOver.withLock { $0 = true }
                try await group.waitForAll()
            }
            // All that was acknowledged is there, and comes to its end.
            let jobs = load.acknowledged.withLock { $0 }
            let lines = try await everyJob(of: person)
            #expect(jobs.isSubset(of: Set(lines.compactMap { $0["id"]?.int })))
            // Claims whose answers were lost are found out by the heartbeats.
            let again = try await ActingWorker(person.worker, name: worker.name)
            try await eventually("all end", within: .seconds(60)) {
                for held in try await again.take(1000) { try await again.finish(held) }
                return try await everyJob(of: person).allSatisfy {
                    $0["status"] != "SUBMITTED" && $0["status"] != "RUNNING"
                }
            }
            for job in try await everyJob(of: person) {
                #expect(job["status"] == "DONE" && job["num_done"] == 1, "\(job)")
            }
        }
    }

    /// While another holds the lock of all writers, who only looks does not wait, and who writes does.
    @Test func anotherWrites() async throws {
        try await withServer { cluster, database, server in
            let person = try await server.person()
            let holder = Task {
                try await cluster.query(
                    """
                    SET idle_in_transaction_session_timeout = '15s'; BEGIN;
                    SELECT pg_advisory_xact_lock(7521962890172031340); SELECT pg_sleep(8); COMMIT
                    """, database: database)
            }
            try await eventually("the lock is held") {
                try await cluster.query(
                    """
                    SELECT COUNT(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                    WHERE l.locktype = 'advisory' AND l.granted AND a.query LIKE '%pg_sleep(8)%'
                        AND a.pid <> pg_backend_pid()
                    """, database: database) == "1"
            }
            // Who only looks does not wait for it; who writes does, and is served then.
            let started = ContinuousClock.now
            #expect(try await person.user.get("/jobs").status == 200)
            #expect(ContinuousClock.now - started < .seconds(5))
            #expect(try await person.mkdir("/d") > 0)
            _ = try await holder.value
        }
    }

    /// A session of hauld is closed by the server's operator: nobody sees it.
    @Test func sessionsEndUnderneath() async throws {
        try await withServer { cluster, database, server in
            let person = try await server.person()
            for number in 0..<5 {
                let ended = try await cluster.query(
                    """
                    SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name LIKE 'hauld%' AND datname = current_database()) AS ended
                    """, database: database)
                #expect(ended != "0")
                #expect(try await person.mkdir("/\(number)") > 0)
                #expect(try await person.user.get("/jobs").json.array?.count == number + 1)
            }
        }
    }

    /// It is not there when hauld starts: one clear line, no password in it.
    @Test func notThere() async throws {
        var settings = LiveServer.Settings()
        settings.store = "postgresql://haul:geheim@127.0.0.1:1/haul"
        let server = try LiveServer(settings)
        try server.configure(port: 0)
        let run = try await ProgramRun("hauld", ["--config", server.config])
        #expect(run.code == 1 && !run.errors.contains("geheim"), "\(run)")
        #expect(run.errors.split(separator: "\n").count == 1 && run.errors.contains("127.0.0.1:1/haul"), "\(run)")
        await server.remove()
    }
}
