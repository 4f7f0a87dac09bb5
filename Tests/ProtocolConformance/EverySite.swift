import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support

@testable import HaulProtocol

/// A site of each protocol that streams, with a real server where it has one.
final class EverySite {
    private let folder = FileManager.default.temporaryDirectory.path + "/haul-pairs-" + UUID().uuidString
    private var stops: [() async -> Void] = []
    private(set) var sites: [CheckSite] = []
    /// Uploads in parts that the s3 site's service has and that were not finished.
    private(set) var unfinished: () async throws -> Int = { 0 }

    static func with(_ body: (EverySite) async throws -> Void) async throws {
        let every = EverySite()
        do {
            try await every.start()
            try await body(every)
        } catch {
            await every.stop()
            throw error
        }
        await every.stop()
    }

    private func start() async throws {
        try add("local", SiteSpec(site: "local"), base: root("local"), settings: ["roots": [.string(root("local"))]])
        try add("rclone", SiteSpec(site: "rclone", options: ["remote": .string(":local:" + root("rclone"))]), base: "/")

        let sshd = try await Sshd.start()
        stops.append { await sshd.stop() }
        let login: [String: JSONValue] = ["user": .string(NSUserName()), "host_keys": [.string(sshd.hostKey)]]
        try add(
            "ssh",
            SiteSpec(
                site: "ssh", endpoints: [sshd.endpoint], options: login, credentials: ["ssh-key": sshd.loginKey]),
            base: sshd.root)

        let apache = try await Apache.start(root: root("http"))
        stops.append { await apache.stop() }
        try add("http", SiteSpec(site: "http", endpoints: [apache.endpoint]), base: "/")

        let gridftp = try await GridFTPServer.anonymous(["-home-dir", root("gridftp")])
        stops.append { await gridftp.stop() }
        try add("gridftp", SiteSpec(site: "gridftp", endpoints: [gridftp.endpoint]), base: root("gridftp"))

        let xrootd = try await XRootD.start(root: root("xrootd"))
        stops.append { await xrootd.stop() }
        try add("xrootd", SiteSpec(site: "xrootd", endpoints: [xrootd.endpoint]), base: "/")

        let key = folder + "/key"
        _ = FileManager.default.createFile(
            atPath: key, contents: Data("\(S3Service.accessKey):\(S3Service.secretKey)\n".utf8),
            attributes: [.posixPermissions: 0o600])
        let s3 = try await S3Service.start()
        stops.append { await s3.stop() }
        unfinished = { try await s3.uploads() }
        try add(
            "s3",
            SiteSpec(
                site: "s3", endpoints: [s3.endpoint], options: ["bucket": .string(S3Service.bucket)],
                credentials: ["s3-key": key]),
            base: "/", settings: ["multipart_threshold": 5_242_880, "part_size": 5_242_880])
    }

    private func stop() async {
        for stop in stops.reversed() { await stop() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func root(_ name: String) throws -> String {
        let root = "\(folder)/\(name)/root"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        chmod(root, 0o777)
        return root
    }

    private func add(_ name: String, _ spec: SiteSpec, base: String, settings: [String: JSONValue] = [:]) throws {
        guard let discovered = Built.protocols()[name] else { throw CheckFailure("there is no protocol \(name)") }
        let (local, scratch) = ("\(folder)/\(name)/local", "\(folder)/\(name)/scratch")
        for folder in [local, scratch] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let target = CheckTarget(discovered: discovered, site: spec, settings: settings, base: base, local: local)
        sites.append(CheckSite(target: target, top: ListingPath.child(base, "pairs"), scratch: scratch))
    }
}
