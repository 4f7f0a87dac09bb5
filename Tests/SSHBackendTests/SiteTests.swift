import HaulModel
import HaulProtocol
import Testing

@testable import haul_ssh

/// What a site's configuration may say, and what never reaches ssh.
struct SiteTests {
    private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh4"

    private func site(
        _ options: [String: JSONValue] = [:], endpoints: [String] = ["h:2222"],
        credentials: [String: String] = ["ssh-key": "/k"]
    ) throws -> SSHSite {
        var all: [String: JSONValue] = ["host_keys": [.string(Self.key)]]
        all.merge(options) { $1 }
        return try SSHSite(SiteSpec(site: "s", endpoints: endpoints, options: all, credentials: credentials))
    }

    private func refusal(_ body: () throws -> SSHSite) -> BackendFailure? {
        do {
            _ = try body()
            return nil
        } catch { return error as? BackendFailure }
    }

    @Test(arguments: [
        ("host", "host", 22), ("host:2222", "host", 2222), ("[::1]:22", "::1", 22), ("[::1]", "::1", 22),
        ("127.0.0.1:65535", "127.0.0.1", 65535),
    ])
    func endpoints(_ text: String, _ host: String, _ port: Int) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
    }

    @Test(arguments: [
        "", "-oProxyCommand=x", "-oProxyCommand=x:22", "h:", "h:0", "h:65536", "h:+1", "h:-1", "h:x", "h:22:22", "::1",
        "[::1", "[-x]:22", "[::1]22", "a b:22", "a*:22", "a,b:22", "!a:22", "a\n:22", "user@h:22", "h;id:22", "$(id)",
        "h/../x:22", "[[h]]:22", String(repeating: "h", count: 256),
    ])
    func endpointsThatAreNone(_ text: String) {
        let refusal = refusal { try site(endpoints: [text]) }
        #expect(refusal?.errorClass == .invalid)
    }

    @Test func anEndpointIsNeeded() { #expect(refusal { try site(endpoints: []) }?.errorClass == .invalid) }

    @Test func hostKeysAreNeeded() {
        for none: JSONValue in [[], [1], .null, .string(Self.key)] {
            let refusal = refusal { try site(["host_keys": none]) }
            #expect(refusal?.errorClass == .invalid)
            #expect(refusal?.reason.contains("host_keys") == true)
        }
    }

    @Test(arguments: [
        "", " ", "AAAA", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519  AAAA", "ssh-ed25519 BBBB", " ssh-ed25519 AAAA",
        "* ssh-ed25519 AAAA", "@cert-authority * ssh-ed25519 AAAA", "ssh-ed25519 AAAA\n* ssh-rsa AAAA",
        "ssh-ed25519 AAAA comment\r", "ssh-ed25519\tAAAA", "ssh-ed25519 AAAA*", "#ssh-ed25519 AAAA",
        "-ssh AAAA", "ssh-ed25519 AAAA x\u{0}y",
    ])
    func hostKeysThatAreNone(_ line: String) {
        let refusal = refusal { try site(["host_keys": [.string(Self.key), .string(line)]]) }
        #expect(refusal?.errorClass == .invalid, "\(line)")
    }

    @Test func aCommentIsFine() throws {
        #expect(try site(["host_keys": [.string(Self.key + " root@host, made 2026")]]).hostKeys.count == 1)
    }

    @Test(arguments: ["", " ", "a b", "-l", "-oProxyCommand=x", "a\nb", "a\u{0}", "ü", "a;b", "%h", "`id`"])
    func usersThatAreNone(_ user: String) {
        #expect(refusal { try site(["user": .string(user)]) }?.errorClass == .invalid, "\(user)")
    }

    @Test(arguments: ["root", "a.b-c_d", "user@REALM", "svc$", "0x"])
    func users(_ user: String) throws { #expect(try site(["user": .string(user)]).user == user) }

    @Test(arguments: ["", "a b", "aes\nProxyCommand x", "a=b", "a;b"])
    func ciphersThatAreNone(_ ciphers: String) {
        #expect(refusal { try site(["ciphers": .string(ciphers)]) }?.errorClass == .invalid)
    }

    @Test func theKeyIsNeeded() {
        let refusal = refusal { try site(credentials: ["password": "/p"]) }
        #expect(refusal?.errorClass == .auth)
        #expect(refusal?.reason.contains("ssh-key") == true)
    }

    @Test func knownHostsNamesEachEndpoint() throws {
        let site = try site(endpoints: ["h", "h:2222", "[::1]:22", "[::1]:23"])
        let hosts = site.knownHosts.split(separator: "\n").map { $0.split(separator: " ")[0] }
        #expect(hosts == ["h", "[h]:2222", "::1", "[::1]:23"])
    }

    @Test func theHostStandsAfterAllOptions() throws {
        let site = try site(["user": "u"], credentials: ["ssh-key": "/a b/%k\"\\"])
        let arguments = SSHCommand.arguments(site, site.endpoints[0], knownHosts: "/known hosts")
        #expect(arguments.suffix(5) == ["2222", "-s", "--", "h", "sftp"])
        #expect(arguments.contains("IdentityFile=\"/a b/%%k\\\"\\\\\""))
        #expect(arguments.contains("UserKnownHostsFile=\"/known hosts\""))
        #expect(arguments.contains("StrictHostKeyChecking=yes"))
    }

    @Test(arguments: [
        ("/a", "/a"), ("~", "/home/u"), ("~/", "/home/u"), ("~/a", "/home/u/a"), ("a/b", "/home/u/a/b"),
        ("~other", "/home/u/~other"), ("", "/home/u"),
    ])
    func pathsBelowTheHome(_ path: String, _ absolute: String) {
        #expect(RemotePlace.absolute(path, home: "/home/u") == absolute)
    }
}
