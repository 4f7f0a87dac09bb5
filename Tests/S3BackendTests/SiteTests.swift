import Foundation
import HaulCrypto
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// Who may do what: keys, tokens, nobody; TLS; what a site has to say.
@Suite(.serialized, .timeLimit(.minutes(15))) struct SiteTests {
    @Test func keysAndTokens() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", "x")
            let secret = S3Service.secretKey
            try bench.credential("temporary", "\(S3Service.temporaryKey):\(secret)\n\(S3Service.token)\n")
            try bench.credential("tokenless", "\(S3Service.temporaryKey):\(secret)\n")
            try bench.credential("wrong", "\(S3Service.accessKey):wrong-secret\n")
            try bench.credential("unknown", "AKIAUNKNOWN:\(secret)\n")
            for (key, expected) in [
                ("key", nil), ("temporary", nil), ("tokenless", .auth), ("wrong", .auth), ("unknown", .auth),
            ] as [(String, ErrorClass?)] {
                let outcome = try await bench.one(.put, file, "/\(key)", site: bench.site(key: key))
                #expect(outcome.result.errorClass == expected, "\(key): \(outcome)")
                #expect(!"\(outcome)".contains(secret) && !"\(outcome)".contains(S3Service.token))
                let get = try await bench.one(.get, "/key", bench.local(key), site: bench.site(key: key))
                #expect(get.result.errorClass == expected, "\(key): \(get)")
            }
            for (name, content) in [
                ("empty", ""), ("colonless", "just-a-word\n"), ("half", ":secret\n"), ("half2", "a:\n"),
            ] {
                try bench.credential(name, content)
                let outcome = try await bench.one(.list, "/", site: bench.site(key: name))
                #expect(outcome.result.errorClass == .auth && !"\(outcome)".contains("just-a-word"), "\(outcome)")
            }
        }
    }

    /// Of several endpoints that serve the same bucket one that is there is used.
    @Test func oneOfTheEndpointsIsDown() async throws {
        try await Bench.with { bench in
            var site = bench.site()
            site.endpoints.insert("127.0.0.1:1", at: 0)
            let put = try await bench.one(.put, bench.write("f", "x"), "/f", site: site)
            #expect(put.result.isOK, "\(put)")
            site.endpoints = ["127.0.0.1:1", "127.0.0.1:2"]
            #expect(try await bench.one(.list, "/", site: site).result.errorClass == .connect)
        }
    }

    /// Without a credential: what everybody may do.
    @Test func nobody() async throws {
        try await Bench.with { bench in
            try await bench.service.put("public/f", "for all")
            try await bench.service.put("private", "for few")
            let site = bench.site(key: "")
            let got = try await bench.one(.get, "/public/f", bench.local("g"), site: site)
            #expect(got.result.isOK, "\(got)")
            #expect(bench.read("g") == Data("for all".utf8))
            let refused = try await bench.one(.get, "/private", bench.local("p"), site: site)
            #expect(refused.result.errorClass == .permission, "\(refused)")
        }
    }

    @Test func sitesThatMakeNoSense() async throws {
        try await Bench.with { bench in
            for (options, endpoint) in [
                (["bucket": ""], nil), (["bucket": "a/b"], nil), (["bucket": "x?y"], nil), (["prefix": "../x"], nil),
                ([:], "127.0.0.1:1/evil"), ([:], "user@host"),
            ] as [([String: JSONValue], String?)] {
                let outcome = try await bench.one(.list, "/", site: bench.site(options, endpoint: endpoint))
                #expect(outcome.result.errorClass == .invalid, "\(options): \(outcome)")
            }
            let closed = try await bench.one(.list, "/", site: bench.site(endpoint: "127.0.0.1:1"))
            #expect(closed.result.errorClass == .connect, "\(closed)")
            let none = try await bench.one(.list, "/", site: bench.site(["bucket": "haul-none"]))
            #expect(none.result.errorClass == .notFound && none.result.reason?.contains("NoSuchBucket") == true)
        }
    }

    /// A worker with a list of hosts goes to a bucket's own host where the list has that: no name that a user gives a bucket
    /// makes another place of an endpoint.
    @Test func hosts() async throws {
        try await Bench.with { bench in
            let (port, element) = (bench.service.port, ElementSpec(id: "1", source: "/"))
            func list(_ options: [String: JSONValue], _ endpoint: String, _ hosts: [String]) async throws
                -> ElementResult
            {
                let site = bench.site(options, endpoint: endpoint)
                let outcome = try await bench.run(.list, [element], site: site, hosts: HostList(hosts))
                return outcome.results["1"] ?? .failed(.lost, "no result")
            }
            let endpoint = bench.service.endpoint
            #expect(try await list([:], endpoint, [endpoint]).isOK)
            let named: [String: JSONValue] = ["addressing": "virtual-host"]
            let refused = try await list(named, "localhost:\(port)", ["localhost"])
            #expect(refused.errorClass == .permission, "\(refused)")
            #expect(refused.reason?.contains("\(S3Service.bucket).localhost:\(port) is none of the hosts") == true)
            let found = try await list(named, "localhost:\(port)", ["localhost", "*.localhost"])
            #expect(found.errorClass != .permission, "\(found)")
        }
    }

    /// HTTPS alone with a certificate that the site's CA, or one of the machine's, has signed.
    @Test func theSitesOwnAuthority() async throws {
        let (certificate, another) = (try await Certificate(), try await Certificate())
        try await Bench.with(certificate) { bench in
            let file = try bench.write("f", Bench.content(20 << 20))
            for (options, expected) in [
                ([:], .auth), (["ca": .string(another.path)], .auth), (["ca": .string(certificate.path)], nil),
                (["ca": .string(try String(contentsOfFile: certificate.path, encoding: .utf8))], nil),
            ] as [([String: JSONValue], ErrorClass?)] {
                let site = bench.site(options.merging(["tls": true]) { $1 })
                let put = try await bench.one(.put, file, "/f", site: site)
                #expect(put.result.errorClass == expected, "\(put)")
                let get = try await bench.one(.get, "/f", bench.local("g"), site: site)
                #expect(get.result.errorClass == expected, "\(get)")
            }
            #expect(bench.read("g") == Bench.content(20 << 20))
            // Another name than the certificate's.
            let site = bench.site(
                ["tls": true, "ca": .string(certificate.path)], endpoint: "localhost:\(bench.service.port)")
            #expect(try await bench.one(.list, "/", site: site).result.errorClass == .auth)
        }
    }

    /// No secret is where others could see it: arguments of a process, files that others can read.
    @Test func secretsStayInFilesOfTheirOwn() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", Bench.content(20 << 20))
            try await bench.service.set(.init("PUT /haul-test/f", delay: 0.5))
            let seen = Seen()
            let outcome = try await bench.one(.put, file, "/f") { event, run in
                guard case .progress = event, let run else { return }
                seen.look(run.pid, bench.folder + "/scratch")
            }
            #expect(outcome.result.isOK, "\(outcome)")
            let (commands, modes) = seen.all
            #expect(commands.contains { $0.contains("haul-s3") })
            #expect(!commands.contains { $0.contains("AWS4-HMAC") || $0.contains("secret/of") })
            #expect(modes.allSatisfy { $0 & 0o077 == 0 })
        }
    }
}

/// The command lines of a process group, and the modes of a folder's files, as they were seen.
private final class Seen: Sendable {
    private let state = Mutex<(commands: [String], modes: [Int])>(([], []))

    var all: (commands: [String], modes: [Int]) { state.withLock { $0 } }

    func look(_ group: pid_t, _ folder: String) {
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        let ours = processes.filter { getpgid($0) == group }
        let commands = ours.compactMap { FileManager.default.contents(atPath: "/proc/\($0)/cmdline") }
            .map { String(decoding: $0, as: UTF8.self) }
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        let modes = files.compactMap {
            try? FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")[.posixPermissions] as? Int
        }
        state.withLock { state in
            state.commands += commands
            state.modes += modes
        }
    }
}
