import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support

/// A `hauld` with a site of each protocol over its real server, and a worker that has no credentials of its own: a user
/// shows an account's key, an access key and two proxies of different people, all out of the vault.
final class EveryServer: Sendable {
    /// A site, and where its files are.
    struct Place: Sendable {
        let name: String
        let protocolName: String
        /// Where the test's files are at the site.
        let base: String
        /// The same on this machine's disk; nil for the bucket.
        let disk: String?
    }

    private let folder = FileManager.default.temporaryDirectory.path + "/haul-every-" + UUID().uuidString
    let places: [Place]
    let server: LiveServer
    let user: Caller
    let s3: S3Service
    private let settings: RealWorker.Settings
    /// Its files go with it.
    private let grid: Grid

    /// Runs `body` with all of it.
    ///
    /// - Parameter leaseSeconds: How long what a worker has is its own once nothing more is heard of it.
    static func with(leaseSeconds: Double = 60, _ body: (EveryServer) async throws -> Void) async throws {
        var stops: [() async -> Void] = []
        do {
            let every = try await EveryServer(leaseSeconds, &stops)
            try await body(every)
        } catch {
            for stop in stops.reversed() { await stop() }
            throw error
        }
        for stop in stops.reversed() { await stop() }
    }

    private init(_ leaseSeconds: Double, _ stops: inout [() async -> Void]) async throws {
        let folder = folder
        stops.append { try? FileManager.default.removeItem(atPath: folder) }
        func root(_ name: String) throws -> String {
            let root = "\(folder)/\(name)"
            for path in [root, root + "/pairs"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                chmod(path, 0o777)
            }
            return root
        }
        var sites: [String: JSONValue] = [:]
        var places: [Place] = []
        func add(
            _ name: String, _ endpoint: String?, _ root: String?, below: String = "",
            _ options: [String: JSONValue] = [:]
        ) {
            let protocolName = String(name.prefix { $0 != "-" })
            sites[name] = [
                "id": .int(sites.count + 1), "protocol": .string(protocolName),
                "endpoints": .array(endpoint.map { [.string($0)] } ?? []), "options": .object(options),
            ]
            places.append(
                Place(
                    name: name, protocolName: protocolName, base: below + "/pairs", disk: root.map { $0 + "/pairs" }))
        }
        let local = try root("local")
        add("local-a", nil, local, below: local)
        let mounted = try root("rclone")
        add("rclone-a", nil, mounted, ["remote": .string(":local:" + mounted)])

        let sshd = try await Sshd.start()
        stops.append { await sshd.stop() }
        try FileManager.default.createDirectory(
            atPath: sshd.root + "/pairs", withIntermediateDirectories: true)
        add(
            "ssh-a", sshd.endpoint, sshd.root, below: sshd.root,
            ["user": .string(NSUserName()), "host_keys": [.string(sshd.hostKey)]])

        let apache = try await Apache.start(root: try root("http"))
        stops.append { await apache.stop() }
        add("http-a", apache.endpoint, try root("http"))

        let grid = try await Grid.make()
        for name in ["gridftp-a", "gridftp-b"] {
            let root = try root(name)
            let gridftp = try await GridFTPServer.gsi(grid, ["-home-dir", root])
            stops.append { await gridftp.stop() }
            add(name, gridftp.endpoint, root, below: root, ["ca_dir": .string(grid.authorities)])
        }

        let xrootd = try await XRootD.start(root: try root("xrootd"))
        stops.append { await xrootd.stop() }
        add("xrootd-a", xrootd.endpoint, try root("xrootd"))

        let s3 = try await S3Service.start()
        stops.append { await s3.stop() }
        add("s3-a", s3.endpoint, nil, ["bucket": .string(S3Service.bucket)])

        var settings = LiveServer.Settings()
        settings.leaseSeconds = leaseSeconds
        settings.heartbeatSeconds = leaseSeconds / 4
        settings.more = "vault: \"vault.key\","
        settings.sites = JSONValue.object(sites).text
        let server = try await LiveServer.start(settings)
        stops.append { await server.remove() }
        var own = RealWorker.Settings()
        own.slots = 12
        own.user = nil
        own.protocols = """
            local: {roots: ["\(local)"]}, s3: {multipart_threshold: 5242880, part_size: 5242880}
            """
        (self.server, self.s3, self.grid, self.places, self.settings) = (server, s3, grid, places, own)
        user = try await server.person().user
        try await show("ssh-key", try String(contentsOfFile: sshd.loginKey, encoding: .utf8), "ssh-a")
        try await show("s3-key", "\(S3Service.accessKey):\(S3Service.secretKey)", "s3-a")
        for (name, site) in [("alice", "gridftp-a"), ("bob", "gridftp-b")] {
            try await show("x509-proxy", try String(contentsOfFile: try await grid.proxy(name), encoding: .utf8), site)
        }
    }

    private func show(_ kind: String, _ secret: String, _ site: String) async throws {
        let answer = try await keep(user, kind, secret, site: .string(site))
        guard answer.status == 200 else { throw LiveServer.Failure(description: "\(kind): \(answer)") }
    }

    /// Starts a worker, and has `body` use it; it is gone afterwards.
    func withWorker(_ body: (RealWorker) async throws -> Void) async throws {
        let worker = try await RealWorker.start(server, settings)
        do { try await body(worker) } catch {
            await worker.stop()
            throw LiveServer.Failure(description: "\(error)\n\(worker.log.suffix(3000))")
        }
        await worker.stop()
    }

    // MARK: Files

    /// Lays files at a place, behind its server's back.
    func lay(_ files: [String: [UInt8]], in name: String, at place: Place) async throws {
        for (path, bytes) in files {
            guard let disk = place.disk else {
                let answer = try await s3.ask("PUT", "pairs/\(name)/\(path)", body: bytes)
                guard answer.status == 200 else { throw LiveServer.Failure(description: "PUT \(answer.status)") }
                continue
            }
            let file = URL(fileURLWithPath: "\(disk)/\(name)/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
    }

    /// What is below a folder of a place, parts of files that are on their way as well.
    func files(in name: String, at place: Place) async throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        guard let disk = place.disk else {
            let prefix = Array("pairs/\(name)/".utf8)
            for key in try await s3.keys() where key.starts(with: prefix) && key.last != UInt8(ascii: "/") {
                let path = String(decoding: key, as: UTF8.self)
                found[String(path.dropFirst(prefix.count))] = try await s3.read(path)
            }
            return found
        }
        let folder = "\(disk)/\(name)"
        for case let path as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(path)")
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            found[path] = FileManager.default.contents(atPath: "\(folder)/\(path)").map { Array($0) }
        }
        return found
    }

    /// How many parts of uploads in parts the bucket's service keeps.
    func unfinished() async throws -> Int { try await s3.unfinished().reduce(0, +) }

    // MARK: Jobs

    /// Registers a copy of a folder.
    func copy(
        _ name: String, from source: Place, to target: Place, as new: String, _ options: JSONValue
    ) async throws -> Int {
        let job = try await user.post(
            "/copy",
            [
                "src_siteid": .string(source.name), "src_filepath": .string("\(source.base)/\(name)"),
                "dst_siteid": .string(target.name), "dst_filepath": .string("\(target.base)/\(new)"),
                "extra_opts": options, "max_tries": 3,
            ])
        guard let id = job["id"]?.int else { throw LiveServer.Failure(description: "\(job)") }
        return id
    }

    /// How a job ended, with what was said of what went wrong.
    func end(of job: Int, within limit: Duration = .seconds(240)) async throws -> String {
        let user = user
        try await eventually("the end of job \(job)", within: limit) {
            ["DONE", "FAILED", "CANCELLED"].contains(try await user.get("/jobs/\(job)")["status"]?.string ?? "")
        }
        let status = try await user.get("/jobs/\(job)")["status"]?.string ?? ""
        return status == "DONE" ? status : "\(status): \(try await user.get("/jobs/\(job)/output").text.prefix(2000))"
    }
}
