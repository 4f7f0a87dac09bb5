import Foundation
import HaulProtocol
import Synchronization

/// A PostgreSQL server that runs for tests, benchmarks and the playground: on a free port of the loopback interface, with
/// data in a temporary folder of its own, and no longer than this process.
public final class PostgresCluster: Sendable {
    /// What starts it anew on the same data and port.
    private let argv: [String]
    private let folder: String
    private let tools: String
    private let child = Mutex<Child?>(nil)

    public let port: Int

    /// It refuses to run as root.
    private static let unprivileged =
        getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []

    /// Stays with the server as long as that runs: at the end of its standard input, which is this process's end however
    /// that came, it kills the server and removes its data. The server's children see that it is gone and end.
    private static let script = """
        folder=$1; shift
        exec 3<&0
        (read -r _ <&3; kill -KILL $$; while ! rm -rf "$folder"; do sleep 0.2; done) >/dev/null 2>&1 &
        exec 3<&-
        exec "$@" </dev/null
        """

    /// Makes the data and starts a server.
    ///
    /// - Parameter isDurable: false for one that loses its data with the machine: quicker, for tests of what it answers.
    /// - Throws: ``WebServer/Failure`` where PostgreSQL is missing, or with what it said.
    public static func start(isDurable: Bool) async throws -> PostgresCluster {
        let cluster = try PostgresCluster(isDurable: isDurable)
        try await cluster.make()
        try await cluster.start()
        return cluster
    }

    private init(isDurable: Bool) throws {
        folder = try StackFolder.temporary("haul-postgres")
        tools = try Self.programs()
        port = try Loopback.freePort()
        let settings =
            [
                "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=500", "shared_buffers=128MB",
                "max_wal_size=2GB", "log_min_messages=log",
            ] + (isDurable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"])
        argv =
            Self.unprivileged + [tools + "/postgres", "-D", folder + "/data", "-p", "\(port)"]
            + settings.flatMap { ["-c", $0] }
    }

    /// Debian keeps them out of `PATH`, by version.
    private static func programs() throws -> String {
        let top = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: top)) ?? []).compactMap { Int($0) }
        if let latest = versions.filter({ access("\(top)/\($0)/bin/initdb", X_OK) == 0 }).max() {
            return "\(top)/\(latest)/bin"
        }
        return URL(fileURLWithPath: try WebServer.tool("initdb", package: "postgresql")).deletingLastPathComponent()
            .path
    }

    private func make() async throws {
        // The server's own user writes in it.
        if getuid() == 0, let user = getpwnam("postgres") { chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) }
        let said = try await Tool.run(
            Self.found(
                Self.unprivileged + [
                    tools + "/initdb", "-D", folder + "/data", "-U", "haul", "-A", "trust", "-E", "UTF8", "--locale=C",
                    "--no-sync",
                ]), within: .seconds(120))
        guard said.status.code == 0 else {
            throw WebServer.Failure(description: "initdb: \(said.errors.suffix(2000))")
        }
    }

    /// Starts it, also after ``kill()``: on the same port, with what was on disk.
    public func start() async throws {
        // Until the last children of one that was killed have gone, the next refuses to start.
        for _ in 0..<50 {
            let command = Command(
                executable: "/bin/sh", arguments: ["-c", Self.script, "sh", folder] + argv, input: .pipe,
                output: .append(path: folder + "/output"), errors: .append(path: folder + "/output"), newGroup: true)
            let started = try await Child.start(command)
            child.withLock { $0 = started }
            if await WebServer.answers(port, started), await isReady() { return }
            // Its data are kept for the next.
            await end(started, SIGQUIT)
            try await Task.sleep(for: .milliseconds(200))
        }
        throw WebServer.Failure(description: "PostgreSQL did not start: \(output.suffix(2000))")
    }

    private func isReady() async -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if let said = try? await query("SELECT 1", database: "postgres"), said == "1" { return true }
            if child.withLock({ $0?.status }) != nil { return false }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// What the server wrote to its log.
    public var output: String { (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? "" }

    /// The process that leads the server; nil while there is none.
    public var pid: Int32? { child.withLock { $0?.pid } }

    /// Makes an empty database.
    ///
    /// - Returns: its URL.
    public func makeDatabase(_ name: String) async throws -> String {
        _ = try await query("CREATE DATABASE \"\(name)\"", database: "postgres")
        return url(name)
    }

    public func url(_ database: String) -> String { "postgresql://haul@127.0.0.1:\(port)/\(database)" }

    /// What a statement answers, as psql prints it without frills.
    public func query(_ sql: String, database: String) async throws -> String {
        let said = try await Tool.run([tools + "/psql", "-X", "-A", "-t", "-q", "-c", sql, url(database)])
        guard said.status.code == 0 else { throw WebServer.Failure(description: "psql: \(said.errors)") }
        return said.output.trimmingCharacters(in: .newlines)
    }

    /// Ends the server as a power cut would, all of it.
    public func kill() async {
        guard let leader = child.withLock({ $0 }) else { return }
        // Each leads a group of its own.
        let children = Self.children(of: leader.pid)
        leader.signal(SIGKILL)
        for pid in children { Foundation.kill(pid, SIGKILL) }
        await end(leader, SIGKILL)
    }

    /// Ends it in good order; its data go with it.
    public func stop() async {
        if let leader = child.withLock({ $0 }) { await end(leader, SIGINT) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func end(_ leader: Child, _ signal: Int32) async {
        leader.signal(signal)
        if await leader.wait(atMost: .seconds(20)) == nil { await leader.stop(grace: .zero) }
        child.withLock { $0 = nil }
    }

    private static func children(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return false }
            // After the name: state, parent, group.
            let fields = text[text.index(after: end)...].split(separator: " ").prefix(3).map { Int32($0) }
            return fields.count == 3 && fields[1] == parent && fields[2] != parent
        }
    }

    /// With its first word as a path.
    private static func found(_ argv: [String]) throws -> [String] {
        guard let name = argv.first, !name.contains("/") else { return argv }
        return [try WebServer.tool(name, package: "util-linux")] + argv.dropFirst()
    }
}
