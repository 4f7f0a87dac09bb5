import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// A server that launches workers, and what can be seen of them.
struct LaunchWorld: Sendable {
    let server: LiveServer

    /// - Parameters:
    ///   - launch: further keys of `launch`, as JSON5.
    init(
        by: String = "local", _ launch: String, _ change: (inout LiveServer.Settings) -> Void = { _ in }
    ) async throws {
        server = try Self.prepare(by: by, launch, change)
        do { try await server.start() } catch {
            await server.remove()
            throw error
        }
    }

    private static func prepare(
        by: String, _ launch: String, _ change: (inout LiveServer.Settings) -> Void
    ) throws -> LiveServer {
        var settings = LiveServer.Settings()
        settings.more = """
            launch: {by: "\(by)", config: "launched.json5", folder: "launched", \(launch)},
            """
        change(&settings)
        let server = try LiveServer(settings)
        // The words that count are the server's: where it is, who the worker is and what it shows.
        let config = """
            {
                url: "http://127.0.0.1:1", name: "nobody", token_file: "/nonexistent", slots: 1, concurrency: 1, claim_limit: 1,
                protocols_dir: "\(Built.repository)/protocols", work_dir: "/nonexistent",
            }
            """
        try config.write(toFile: server.folder + "/launched.json5", atomically: true, encoding: .utf8)
        return server
    }

    /// Does something with it, and removes it.
    func run(_ body: (LaunchWorld) async throws -> Void) async throws {
        do { try await body(self) } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    /// The workers that are there, as the server's children.
    var workers: [Int32] {
        guard let pid = server.process?.pid else { return [] }
        return Processes.children(of: pid).filter { Processes.words(of: $0).contains("--launched") }
    }

    /// The folders of workers, with what they hold.
    var folders: [String] {
        let path = server.folder + "/launched"
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map { "\(path)/\($0)" }
    }
}

/// What a test saw of launched workers while it waited.
final class LaunchesSeen: Sendable {
    private struct State {
        var most = 0
        var tokens: Set<String> = []
    }

    private let state = Mutex(State())

    /// Workers at once.
    var most: Int { state.withLock { $0.most } }
    var tokens: Set<String> { state.withLock { $0.tokens } }

    /// Looks at what is there: nobody but its owner reads it, and no token stands elsewhere than in its file.
    func look(_ workers: Int, _ folders: [String]) {
        state.withLock { $0.most = max($0.most, workers) }
        for folder in folders {
            #expect([nil, 0o700].contains(Self.mode(folder)))
            #expect([nil, 0o600].contains(Self.mode(folder + "/token")))
            guard let token = try? String(contentsOfFile: folder + "/token", encoding: .utf8), token.hasSuffix("\n")
            else { continue }
            state.withLock { _ = $0.tokens.insert(token.trimmingCharacters(in: .newlines)) }
            for file in ["start", "launch.json", "log"] {
                let text = (try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)) ?? ""
                #expect(!text.contains("haul_"))
            }
        }
    }

    /// Nil once it is gone.
    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}

/// What proc(5) says of processes.
enum Processes {
    static func children(of pid: Int32) -> [Int32] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return threads.flatMap { thread in
            let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/children", encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// Its command line.
    static func words(of pid: Int32) -> [String] { strings("/proc/\(pid)/cmdline") }

    static func environment(of pid: Int32) -> [String] { strings("/proc/\(pid)/environ") }

    /// Whether it is there, and no zombie.
    static func isAlive(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    private static func strings(_ path: String) -> [String] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension Person {
    /// A queue of this name, with jobs that take a while each.
    ///
    /// - Returns: the jobs.
    func sleeps(_ count: Int, seconds: Double, in queue: String) async throws -> [Int] {
        #expect(try await user.put("/queues/\(queue)", ["pop": true]).status == 201)
        let jobs = (0..<count).map { number -> JSONValue in
            [
                "type": "LIST", "src_siteid": "fake-a", "src_filepath": .string("/sleep/\(seconds)/\(number)"),
                "queue": .string(queue),
            ]
        }
        let answer = try await user.post("/jobs", .array(jobs))
        #expect(answer.status == 200, "\(answer)")
        return answer.json.array?.compactMap(\.int) ?? []
    }

    /// Lets any worker have what is in a queue.
    func open(_ queue: String) async throws {
        let answer = try await user.send("PATCH", "/queues/\(queue)", Array(#"{"pop":false}"#.utf8))
        #expect(answer.status == 200, "\(answer)")
    }

    func launch(_ workers: Int, _ queue: String) async throws {
        let answer = try await user.post("/queues/\(queue)/launch", ["workers": .int(workers)])
        #expect(answer.status == 202, "\(answer)")
    }

    /// What is known of a queue's workers.
    func launches(_ queue: String) async throws -> [JSONValue] {
        try await user.get("/queues/\(queue)/launch").json.array ?? []
    }

    func states(_ queue: String) async throws -> [String] {
        try await launches(queue).compactMap { $0["state"]?.string }
    }

    func areDone(_ jobs: [Int]) async throws -> Bool {
        for job in jobs where try await user.get("/jobs/\(job)")["status"] != "DONE" { return false }
        return true
    }
}
