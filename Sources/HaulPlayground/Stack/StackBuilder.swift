import Foundation
import HaulHTTP
import HaulProtocol

/// Brings a stack up, one part after the other.
final class StackBuilder {
    struct Built {
        var url: String
        var tokens: [String: String]
        var passwords: [String: String]
        var sites: [String: StackSite]
        var isContinued: Bool
        var folder: StackFolder
        var installation: Installation
        var keeper: Keeper
        var parts: [Part]
    }

    let folder: StackFolder
    let keeper: Keeper
    let lock: FolderLock
    /// Those that were started so far.
    private(set) var parts: [Part] = []
    private let options: Stack.Options
    private let say: @Sendable (String) -> Void
    private let installation: Installation
    private let isContinued: Bool
    private var environment: [String: String]
    private var hasS3 = false

    init(_ options: Stack.Options, say: @escaping @Sendable (String) -> Void) async throws {
        self.options = options
        self.say = say
        installation = try Installation.find()
        folder = StackFolder(options.directory)
        let (found, lock) = try folder.claim()
        self.lock = lock
        isContinued = found == .earlier
        if isContinued {
            say("\(folder.path) holds an earlier playground: it goes on, with its jobs, tokens and files")
            // What a person started again then, and nobody ended.
            await Leftovers(folder: folder.path).end()
        }
        unlink(folder.document)
        keeper = try await Keeper(folder: folder.path, removing: options.isTemporary ? folder.path : nil)
        environment = Environment.allowed
        environment[Leftovers.variable] = folder.path
        environment["PATH"] = installation.programs + ":" + (Environment.allowed["PATH"] ?? "/usr/bin:/bin")
    }

    func run() async throws -> Built {
        let ports = try Loopback.lastingPorts(8)
        let key = folder.secrets + "/login-key"
        try await SSHKey.make(key)
        let ssh = zip(["ssh-a", "ssh-b"], ports).map { name, port in
            SSHPart(name: name, port: port, folder: folder, loginKey: key)
        }
        let http = zip(["http-a", "http-b"], ports.dropFirst(2)).map { name, port in
            HTTPPart(name: name, port: port, folder: folder)
        }
        let gridftp = zip(["gridftp-a", "gridftp-b"], ports.dropFirst(5)).map { name, port in
            GridFTPPart(name: name, port: port, folder: folder)
        }
        let plain = environment
        for part in ssh {
            try await start(part.prepare(environment: plain), at: part.port) { Loopback.accepts(part.port) }
        }
        for part in http {
            try await start(part.prepare(environment: plain), at: part.port) { Loopback.accepts(part.port) }
        }
        for part in gridftp {
            try await start(part.prepare(environment: plain), at: part.port) { Loopback.accepts(part.port) }
        }
        try await startS3(at: ports[7])
        try folder.make(folder.site("local-a"), mode: 0o755)
        try setSites(ssh: ssh, http: http, gridftp: gridftp, key: key)

        let address = "127.0.0.1:\(ports[4])"
        environment["HAULD_LISTEN"] = address
        environment["HAULD_STATE"] = folder.state
        environment["HAULD_SITES"] = installation.config + "/sites.json5"
        environment["HAUL_PROTOCOLS"] = installation.protocols
        environment.merge(options.environment) { _, given in given }
        let passwords = try await makePasswords()
        let tokens = try await makeTokens()
        let url = "http://" + address
        try await startServer(url: url, token: tokens["alice"] ?? "")
        for number in 0..<options.workers { try await startWorker(number + 1, url: url) }
        return Built(
            url: url, tokens: tokens, passwords: passwords, sites: sites(), isContinued: isContinued,
            folder: folder, installation: installation, keeper: keeper, parts: parts)
    }

    private func start(_ command: PartCommand, at port: Int, ready: () async -> Bool) async throws {
        guard !Loopback.accepts(port) else { throw PortTaken(name: command.name, port: port) }
        let part = try await Part.start(command)
        parts.append(part)
        try await part.wait(until: "ready", ready)
        say("\(command.name): 127.0.0.1:\(port), process \(part.pid)")
    }

    private func startS3(at port: Int) async throws {
        guard options.hasS3 else { return }
        guard let python = Moto.python(above: installation.programs) else {
            return say("s3-a: is not served: there is no Python with moto here (make venv)")
        }
        let part = S3Part(name: "s3-a", port: port, folder: folder, python: python)
        let plain = environment
        try await start(part.prepare(environment: plain), at: port) { Loopback.accepts(port) }
        environment["HAUL_S3_A"] = "127.0.0.1:\(port)"
        environment["HAUL_S3_A_BUCKET"] = S3Part.bucket
        environment["HAUL_S3_A_KEY"] = part.keyFile
        hasS3 = true
    }

    /// What `sites.json5` and `worker.json5` take from the environment.
    private func setSites(ssh: [SSHPart], http: [HTTPPart], gridftp: [GridFTPPart], key: String) throws {
        for part in ssh {
            let name = "HAUL_" + part.name.uppercased().replacing("-", with: "_")
            environment[name] = "127.0.0.1:\(part.port)"
            environment[name + "_KEY"] = try part.hostKey
            environment[name + "_ROOT"] = folder.site(part.name)
        }
        for part in http {
            environment["HAUL_" + part.name.uppercased().replacing("-", with: "_")] = "127.0.0.1:\(part.port)"
        }
        for part in gridftp {
            let name = "HAUL_" + part.name.uppercased().replacing("-", with: "_")
            environment[name] = "localhost:\(part.port)"
            environment[name + "_ROOT"] = folder.site(part.name)
        }
        environment["HAUL_SSH_USER"] = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"
        environment["HAUL_SSH_LOGIN_KEY"] = key
        environment["HAUL_LOCAL_A_ROOT"] = folder.site("local-a")
    }

    /// A password for each who has one, kept from an earlier run.
    private func makePasswords() async throws -> [String: String] {
        var passwords: [String: String] = [:]
        for user in Stack.people {
            let file = "\(folder.secrets)/\(user).password"
            if let text = try? String(contentsOfFile: file, encoding: .utf8), isContinued {
                passwords[user] = text.trimmingCharacters(in: .whitespacesAndNewlines)
                continue
            }
            let password = (0..<20).map { _ in String("abcdefghijkmnpqrstuvwxyz23456789".randomElement() ?? "x") }
                .joined()
            // It has a name of its own until the user has it.
            try StackFolder.write(password + "\n", to: file + ".new")
            var said = "nothing"
            for verb in ["add", "change"] where !said.isEmpty {
                let run = try await Tool.run(
                    [
                        installation.program("hauld"), "user", verb, user, "--password-file", file + ".new", "--config",
                        installation.config + "/hauld.json5",
                    ], environment: environment)
                said = run.status.isSuccess ? "" : "hauld user \(verb) \(run.status): \(run.errors)"
            }
            guard said.isEmpty else { throw StackError(said) }
            try FileManager.default.moveItem(atPath: file + ".new", toPath: file)
            passwords[user] = password
        }
        return passwords
    }

    /// A token for each user, made by `hauld token add` where an earlier run has not done so.
    private func makeTokens() async throws -> [String: String] {
        var tokens: [String: String] = [:]
        for (user, role) in Stack.users {
            let file = "\(folder.secrets)/\(user).token"
            if let text = try? String(contentsOfFile: file, encoding: .utf8), isContinued {
                tokens[user] = text.trimmingCharacters(in: .whitespacesAndNewlines)
                continue
            }
            let said = try await Tool.run(
                [
                    installation.program("hauld"), "token", "add", "--user", user, "--role", role, "--config",
                    installation.config + "/hauld.json5",
                ], environment: environment)
            let token = said.output.trimmingCharacters(in: .whitespacesAndNewlines)
            guard said.status.isSuccess, !token.isEmpty else {
                throw StackError("hauld token add \(said.status): \(said.errors)")
            }
            try StackFolder.write(token + "\n", to: file)
            tokens[user] = token
        }
        return tokens
    }

    private func startServer(url: String, token: String) async throws {
        let client = HTTPClient()
        let request = HTTPClientRequest(
            url: url + "/workqueue/api/v1.0/jobs?limit=1", headers: ["Authorization": "Bearer \(token)"], timeout: 5)
        let port = Int(url.split(separator: ":").last ?? "") ?? 0
        let command = PartCommand(
            name: "hauld",
            argv: PartCommand.standalone(
                [installation.program("hauld"), "--config", installation.config + "/hauld.json5"], environment),
            cwd: folder.path, env: environment, log: folder.log("hauld"))
        do {
            try await start(command, at: port) { (try? await client.send(request))?.status == 200 }
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func startWorker(_ number: Int, url: String) async throws {
        let name = "worker-\(number)"
        var environment = environment
        environment["HAUL_URL"] = url
        environment["HAUL_WORKER_TOKEN_FILE"] = folder.secrets + "/worker.token"
        environment["HAUL_WORKER_NAME"] = name
        environment["HAUL_WORKER_SLOTS"] = String(options.slots ?? (options.workers > 1 ? 2 : 4))
        environment["HAUL_WORKER_DIR"] = folder.part(name)
        let part = try await Part.start(
            PartCommand(
                name: name,
                argv: PartCommand.standalone(
                    [installation.program("haul-worker"), "--config", installation.config + "/worker.json5"],
                    environment),
                cwd: folder.path, env: environment, log: folder.log(name)))
        parts.append(part)
        try await part.wait(until: "registered") { part.log.contains(" registered ") }
        say("\(name): \(environment["HAUL_WORKER_SLOTS"] ?? "") slots, process \(part.pid)")
    }

    private func sites() -> [String: StackSite] {
        var sites: [String: StackSite] = [:]
        for (id, name) in [(1, "ssh-a"), (2, "ssh-b")] {
            sites[name] = StackSite(id: id, protocol: "ssh", root: folder.site(name), path: folder.site(name))
        }
        for (id, name) in [(3, "http-a"), (4, "http-b")] {
            sites[name] = StackSite(
                id: id, protocol: "http", root: folder.site(name) + HTTPPart.path, path: HTTPPart.path)
        }
        for (id, name) in [(7, "gridftp-a"), (8, "gridftp-b")] {
            sites[name] = StackSite(id: id, protocol: "gridftp", root: folder.site(name), path: folder.site(name))
        }
        if hasS3 { sites["s3-a"] = StackSite(id: 9, protocol: "s3", root: nil, path: "/") }
        let local = folder.site("local-a")
        sites["local-a"] = StackSite(id: 5, protocol: "local", root: local, path: local)
        sites["fake-a"] = StackSite(id: 6, protocol: "fake", root: nil, path: "/")
        for id in 12...16 {
            sites["gridftp-\(id)"] = StackSite(id: id, protocol: "gridftp", root: nil, path: "/")
        }
        return sites
    }
}
