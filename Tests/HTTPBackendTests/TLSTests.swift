import Foundation
import HaulModel
import HaulProtocol
import Testing

/// HTTPS with a CA of the site's own, made with openssl.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TLSTests {
    private static let script = #"""
        import http.server, ssl, sys, os
        os.chdir(sys.argv[1])
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(sys.argv[2], sys.argv[3])
        s.socket = c.wrap_socket(s.socket, server_side=True)
        print("port", s.server_port, flush=True)
        s.serve_forever()
        """#

    @Test func theSitesOwnAuthority() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        try bench.write(bench.a + "/f", "secret")
        let keys = bench.folder + "/keys"
        try await authority(keys, "ours")
        try await authority(keys, "another")
        try await openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            keys + "/server.key",
            "-out", keys + "/server.csr", "-subj", "/CN=localhost",
        ])
        try bench.write(keys + "/names", "subjectAltName=IP:127.0.0.1")
        try await openssl([
            "x509", "-req", "-in", keys + "/server.csr", "-CA", keys + "/ours.pem", "-CAkey", keys + "/ours.key",
            "-CAcreateserial", "-days", "2", "-extfile", keys + "/names", "-out", keys + "/server.pem",
        ])
        let server = try await HostileServer.start([
            "-c", Self.script, bench.a, keys + "/server.pem", keys + "/server.key",
        ])
        func get(_ options: [String: JSONValue]) async throws -> ElementResult {
            let site = options.merging(["tls": true]) { $1 }
            return try await bench.one(bench.batch(.get, server.endpoint, site: site), "/f", bench.folder + "/got")
                .result
        }
        let text = try String(contentsOfFile: keys + "/ours.pem", encoding: .utf8)
        for options in [[:], ["ca": .string(keys + "/another.pem")]] as [[String: JSONValue]] {
            let refused = try await get(options)
            #expect(refused.errorClass == .auth, "\(refused)")
            #expect(refused.reason?.contains("certificate") == true, "\(refused)")
            #expect(bench.read(bench.folder + "/got") == nil)
        }
        let missing = try await get(["ca": .string(keys + "/none.pem")])
        #expect(missing.errorClass == .invalid && missing.reason?.contains("/none.pem") == true, "\(missing)")
        for authority in [keys + "/ours.pem", text] {
            let good = try await get(["ca": .string(authority)])
            #expect(good.isOK, "\(good)")
            #expect(bench.read(bench.folder + "/got") == "secret")
            unlink(bench.folder + "/got")
        }
        // The right authority, for another name.
        let port = server.endpoint.split(separator: ":").last ?? ""
        let named = bench.batch(.get, "localhost:\(port)", site: ["tls": true, "ca": .string(text)])
        #expect(try await bench.one(named, "/f", bench.folder + "/got").result.errorClass == .auth)
        await server.stop()
    }

    private func authority(_ folder: String, _ name: String) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem", "-subj", "/CN=\(name)",
        ])
    }

    private func openssl(_ arguments: [String]) async throws {
        let tool = try #require(ToolPath.find("openssl"), "openssl is needed for these tests")
        let child = try await Child.start(Command(executable: tool, arguments: arguments, errors: .null))
        #expect(await child.wait().isSuccess, "\(arguments)")
    }
}
