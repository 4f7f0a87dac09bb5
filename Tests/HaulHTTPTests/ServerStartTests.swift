import Foundation
import HaulHTTP
import Support
import Testing

/// Why a server does not start, each with its own kind and one clear line.
@Suite struct ServerStartTests {
    static func failure(_ configure: (inout HTTPServerConfiguration) -> Void) -> HTTPServerError? {
        var configuration = HTTPServerConfiguration()
        configure(&configuration)
        let server = HTTPServer(configuration: configuration, bodyLimit: { _ in 0 }, handler: { _ in HTTPResponse() })
        do throws(HTTPServerError) {
            try server.start()
            return nil
        } catch {
            return error
        }
    }

    @Test func aPortInUse() async throws {
        try await withServer({ _ in }, { _ in HTTPResponse() }) { server in
            let error = Self.failure { $0.port = server.port }
            #expect(error?.kind == .portInUse)
            #expect(error?.message == "cannot listen on 127.0.0.1:\(server.port): address already in use")
            // The one that has it is not disturbed.
            let answer = try await HTTPClient().send(HTTPClientRequest(url: server.url("/")))
            #expect(answer.status == 200)
        }
    }

    @Test(arguments: ["192.0.2.1", "no-such-name.invalid", "256.256.256.256", "a b"])
    func aBadAddress(host: String) {
        let error = Self.failure { $0.host = host }
        #expect(error?.kind == .badAddress)
        #expect(error?.message.hasPrefix("cannot listen on \(host):0: ") == true)
        #expect(error?.message.contains("\n") == false)
    }

    @Test(arguments: [-1, 65536, Int.max])
    func aPortThatIsNone(port: Int) {
        let error = Self.failure { $0.port = port }
        #expect(error?.kind == .badAddress)
        #expect(error?.message == "port \(port) is not between 0 and 65535")
    }

    @Test func aPortThatNeedsPrivileges() async throws {
        await #expect(processExitsWith: .success) {
            // Only root may listen below this port; "nobody" may where the system reserves none.
            let text = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8)
            let reserved = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 1024
            if geteuid() == 0 { #expect(setuid(65534) == 0) }
            let error = ServerStartTests.failure { $0.port = 1 }
            #expect(error?.kind == (reserved > 1 ? .notPermitted : nil))
        }
    }

    @Test func certificatesAndKeysThatDoNotWork() async throws {
        let (first, second) = (try await Certificate(), try await Certificate())
        let rubbish = first.folder.appending(path: "rubbish.pem").path
        try Data("rubbish".utf8).write(to: URL(filePath: rubbish))
        let binary = first.folder.appending(path: "binary.pem").path
        try Data([0xff, 0xfe, 0, 1]).write(to: URL(filePath: binary))
        let missing = first.folder.appending(path: "missing.pem").path
        for (certificate, key) in [
            (missing, first.keyPath), (first.path, missing), (rubbish, first.keyPath), (first.path, rubbish),
            (first.path, second.keyPath), (binary, first.keyPath), (first.path, first.folder.path),
        ] {
            let error = Self.failure { $0.tls = .init(certificatePath: certificate, keyPath: key) }
            #expect(error?.kind == .tls, "\(certificate) \(key)")
            #expect(error?.message.contains("\n") == false)
            if [certificate, key].contains(missing) {
                #expect(error?.message.hasPrefix("cannot read \(missing): ") == true)
            }
        }
    }

    @Test func startingTwice() async throws {
        try await withServer({ _ in }, { _ in HTTPResponse(text: "fine") }) { server in
            let port = server.port
            let error = #expect(throws: HTTPServerError.self) { try server.start() }
            #expect(error?.kind == .system)
            #expect(server.port == port)
            let answer = try await HTTPClient().send(HTTPClientRequest(url: server.url("/")))
            #expect(answer.status == 200)
        }
    }

    /// A failed start keeps nothing, and closes nothing that is not its own.
    @Test func failedStartsLeaveNoDescriptors() async {
        await #expect(processExitsWith: .success) {
            let certificate = try await Certificate()
            let rubbish = certificate.folder.appending(path: "rubbish.pem").path
            try Data("rubbish".utf8).write(to: URL(filePath: rubbish))
            _ = ServerStartTests.failure { $0.tls = .init(certificatePath: rubbish, keyPath: rubbish) }
            let before = ProcessFigures.descriptors
            for _ in 0..<20 {
                #expect(
                    ServerStartTests.failure { $0.tls = .init(certificatePath: rubbish, keyPath: rubbish) }?.kind
                        == .tls)
                #expect(ServerStartTests.failure { $0.host = "192.0.2.1" }?.kind == .badAddress)
            }
            #expect(ProcessFigures.descriptors == before)
        }
    }

    @Test func everyAddressIncludesIPv4() async throws {
        try await withServer({ $0.host = "::" }, { HTTPResponse(text: $0.remoteAddress) }) { server in
            let client = HTTPClient()
            let four = try await client.send(HTTPClientRequest(url: server.url("/")))
            #expect(String(decoding: four.body, as: UTF8.self).hasSuffix("127.0.0.1"))
            let six = try await client.send(HTTPClientRequest(url: "http://[::1]:\(server.port)/"))
            #expect(String(decoding: six.body, as: UTF8.self) == "::1")
            await client.close()
        }
    }
}
