import Foundation
import HaulProtocol

/// An authority, a host certificate for `localhost` and users with proxies, made by openssl and grid-proxy-init in a
/// temporary folder, which goes with the last reference.
public final class Grid: Sendable {
    /// The folder with all of it.
    public let folder: String
    /// What `X509_CERT_DIR` and the option `ca_dir` name.
    public var authorities: String { folder + "/ca" }

    /// What a server of this grid is started with.
    var serverEnvironment: [String: String] {
        [
            "X509_CERT_DIR": authorities, "X509_USER_CERT": folder + "/host.pem", "X509_USER_KEY": folder + "/host.key",
            "GRIDMAP": folder + "/grid-mapfile",
        ]
    }

    private init(folder: String) { self.folder = folder }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// - Parameters:
    ///   - host: The common name of the host certificate: another than `localhost` is a wrong one.
    ///   - users: Those with a certificate and an entry in the map.
    public static func make(host: String = "localhost", users: [String] = ["alice", "bob"]) async throws -> Grid {
        let grid = Grid(folder: try StackFolder.temporary("haul-grid"))
        try FileManager.default.createDirectory(atPath: grid.authorities, withIntermediateDirectories: true)
        let number = UInt32.random(in: 0 ... .max)
        let name = "/O=haul/CN=authority \(number)"
        try await grid.openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", name,
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
        let hash = try await grid.openssl(["x509", "-in", "ca.pem", "-noout", "-hash"])
        try FileManager.default.copyItem(atPath: grid.folder + "/ca.pem", toPath: "\(grid.authorities)/\(hash).0")
        let policy = "access_id_CA X509 '\(name)'\npos_rights globus CA:sign\ncond_subjects globus '\"*\"'\n"
        try Data(policy.utf8).write(to: URL(fileURLWithPath: "\(grid.authorities)/\(hash).signing_policy"))
        try await grid.certify("host", "/O=haul/CN=\(host)", "subjectAltName=DNS:\(host)")
        var map = ""
        for user in users {
            try await grid.certify(user, subject(user), "keyUsage=digitalSignature,keyEncipherment")
            map += "\"\(subject(user))\" \(NSUserName())\n"
        }
        try Data(map.utf8).write(to: URL(fileURLWithPath: grid.folder + "/grid-mapfile"))
        return grid
    }

    public static func subject(_ user: String) -> String { "/O=haul/CN=\(user)" }

    /// Makes a proxy of a user.
    /// - Parameter valid: As grid-proxy-init has it: hours and minutes.
    /// - Returns: Its file, 0600.
    public func proxy(_ user: String, valid: String = "12:00") async throws -> String {
        let file = "\(folder)/\(user)-\(UUID().uuidString.prefix(8)).proxy"
        var environment = Environment.allowed
        environment["X509_CERT_DIR"] = authorities
        let tool = try WebServer.tool("grid-proxy-init", package: "globus-proxy-utils")
        try await run(
            tool,
            ["-cert", "\(folder)/\(user).pem", "-key", "\(folder)/\(user).key", "-out", file, "-q", "-valid", valid],
            environment)
        return file
    }

    /// A proxy whose time is over: a certificate of the user's, signed for yesterday.
    public func expiredProxy(_ user: String) async throws -> String {
        let (key, request, file) = ("\(user)-old.key", "\(user)-old.csr", "\(user)-old.pem")
        try await openssl([
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", Self.subject(user),
        ])
        try Data().write(to: URL(fileURLWithPath: folder + "/index.txt"))
        let configuration = """
            [ca]
            default_ca = here
            [here]
            database = \(folder)/index.txt
            new_certs_dir = \(folder)
            serial = \(folder)/serial
            rand_serial = yes
            default_md = sha256
            policy = any
            [any]
            organizationName = optional
            commonName = supplied
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/old.conf"))
        try await openssl([
            "ca", "-batch", "-config", "old.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", request, "-out",
            file,
            "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext",
        ])
        let all = [file, key].compactMap { FileManager.default.contents(atPath: "\(folder)/\($0)") }.reduce(Data(), +)
        let proxy = "\(folder)/\(user)-old.proxy"
        guard FileManager.default.createFile(atPath: proxy, contents: all, attributes: [.posixPermissions: 0o600])
        else {
            throw WebServer.Failure(description: "\(proxy) cannot be written")
        }
        return proxy
    }

    private func certify(_ name: String, _ subject: String, _ extra: String) async throws {
        try await openssl([
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject,
        ])
        try Data(extra.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).ext"))
        try await openssl([
            "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-out", name + ".pem", "-extfile", name + ".ext",
        ])
        chmod("\(folder)/\(name).key", 0o600)
    }

    @discardableResult
    private func openssl(_ arguments: [String]) async throws -> String {
        try await run(try WebServer.tool("openssl", package: "openssl"), arguments, Environment.allowed)
    }

    @discardableResult
    private func run(_ tool: String, _ arguments: [String], _ environment: [String: String]) async throws -> String {
        let child = try await Child.start(
            Command(
                executable: tool, arguments: arguments, environment: environment, directory: folder, output: .pipe,
                errors: .append(path: folder + "/made.log")))
        var said = Data()
        while let data = await child.output?.read() { said.append(data) }
        let status = await child.wait()
        guard status.isSuccess else {
            let log = (try? String(contentsOfFile: folder + "/made.log", encoding: .utf8)) ?? ""
            throw WebServer.Failure(
                description:
                    "\(tool) \(arguments.first ?? "") \(status): \(log.suffix(1500)) \(String(decoding: said.suffix(500), as: UTF8.self))"
            )
        }
        return String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }
}
