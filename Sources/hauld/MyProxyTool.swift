import Foundation
import HaulAuth
import HaulConfig
import HaulModel
import HaulProtocol
import Synchronization

/// `myproxy` of the configuration.
struct MyProxyConfig: Decodable, Sendable {
    /// `HOST:PORT`, or `HOST`.
    var servers: [String]
    /// The folder of those who signed the servers' certificates, as `X509_CERT_DIR` names it.
    var authorities = "/etc/grid-security/certificates"

    private enum CodingKeys: String, CodingKey { case servers, authorities }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        servers = try container.decode([String].self, forKey: .servers)
        guard !servers.isEmpty, servers.allSatisfy(Site.isEndpoint) else {
            throw ConfigValueError(expected: "a list of HOST:PORT", key: "servers")
        }
        authorities = try container.decodeIfPresent(String.self, forKey: .authorities) ?? authorities
    }
}

/// Debian's `myproxy-logon`: the passphrase goes in and the proxy comes out through pipes.
final class MyProxyTool: MyProxy {
    private static let most = 8
    private static let patience = Duration.seconds(30)
    private static let longest = 256 << 10

    let servers: [String]
    private let authorities: String
    /// Nil where it is not there.
    private let tool: String?
    private let running = Mutex(0)

    init(_ config: MyProxyConfig) {
        servers = config.servers
        authorities = config.authorities
        tool = ToolPath.find("myproxy-logon")
    }

    func logon(_ request: MyProxyRequest) async throws -> [UInt8] {
        let isFree = running.withLock { running in
            guard running < Self.most else { return false }
            running += 1
            return true
        }
        guard isFree else { throw MyProxyRefusal.busy }
        defer { running.withLock { $0 -= 1 } }
        guard let tool else {
            throw MyProxyRefusal.fault("myproxy-logon was not there at the start (Debian's package myproxy)")
        }
        var environment = Environment.allowed
        environment["X509_CERT_DIR"] = authorities
        // It would show a proxy of the server's own account, should there be one.
        environment["X509_USER_PROXY"] = "/nonexistent"
        let (host, port) = Site.hostAndPort(request.server)
        let child = try await Child.start(
            Command(
                executable: tool,
                arguments: [
                    "-s", String(host), "-p", port.map(String.init) ?? "7512", "-l", request.username, "-t",
                    "\(request.hours)", "-o", "-", "-S", "-q",
                ], environment: environment, input: .pipe, output: .pipe, errors: .pipe, newGroup: true))
        let deadline = Task {
            try await Task.sleep(for: Self.patience)
            child.signal(SIGKILL)
        }
        defer { deadline.cancel() }
        async let proxy = Self.read(child.output, child)
        async let said = Self.read(child.errors, child)
        _ = await child.input?.write(Data((request.passphrase + "\n").utf8))
        child.input?.finish()
        let (output, errors) = await (proxy, said)
        let status = await child.wait()
        guard status == .exited(0) else {
            let line = Self.line(errors, status)
            guard case .exited = status, !line.contains("Unable to connect"), !line.contains("Error authenticating")
            else { throw MyProxyRefusal.unanswered(line) }
            throw MyProxyRefusal.refused(line)
        }
        return output
    }

    private static func read(_ pipe: PipeReader?, _ child: Child) async -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = await pipe?.read() {
            bytes += piece
            if bytes.count > longest {
                child.signal(SIGKILL)
                break
            }
        }
        return bytes
    }

    /// What it said, in a line of a kilobyte at most.
    private static func line(_ errors: [UInt8], _ status: ExitStatus) -> String {
        let text = String(decoding: errors.prefix(1024), as: UTF8.self)
        let words = text.split(whereSeparator: { $0.isWhitespace || $0.unicodeScalars.contains { $0.value < 32 } })
        return words.isEmpty ? "myproxy-logon ended with \(status)" : words.joined(separator: " ")
    }
}
