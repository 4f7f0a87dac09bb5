import Foundation
import HaulCrypto
import HaulHTTP
import HaulPlayground
import HaulProtocol
import Synchronization

/// moto_server as an S3 service on a free port of the loopback interface, out of the environment that `make test` makes
/// below the build folder. It checks signatures and keeps objects in memory: a new start knows nothing of the one before.
public final class MotoServer: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public let port: Int
    private let folder: Folder
    private let client = HTTPClient()
    private let state = Mutex<Child?>(nil)
    /// What opens it: the same for each start.
    public static let accessKey = "AKIAHAUL0000TEST0000"
    public static let secretKey = "secret/of+the=tests"
    public static let bucket = "haul-logs"

    public var url: String { "http://127.0.0.1:\(port)" }

    public init() throws {
        folder = try Folder()
        // Below the range out of which the kernel takes ports for connections: it is started again on the same one.
        port = Int.random(in: 15_000..<32_000)
        try Moto.program.write(toFile: folder.path + "/service.py", atomically: true, encoding: .utf8)
        try "\(Self.accessKey):\(Self.secretKey)".write(toFile: folder.path + "/key", atomically: true, encoding: .utf8)
    }

    /// A service that answers, with an empty bucket.
    public static func start() async throws -> MotoServer {
        for _ in 0..<5 {
            let server = try MotoServer()
            do {
                try await server.start()
                return server
            } catch is NeverHappened {}
        }
        throw Failure(description: "moto_server finds no free port")
    }

    public func start() async throws {
        let child = try await Child.start(
            Command(
                executable: try PythonTool.path("python"),
                arguments: [folder.path + "/service.py", "\(port)", Self.bucket, folder.path + "/key"],
                output: .append(path: folder.path + "/moto.log"), errors: .append(path: folder.path + "/moto.log")))
        state.withLock { $0 = child }
        try await eventually("moto_server answers", within: .seconds(60)) {
            if let status = child.status {
                throw Failure(description: "moto_server \(status): \(self.log.suffix(2000))")
            }
            let answer = try? await self.client.send(
                HTTPClientRequest(url: self.url + "/moto-api/data.json", timeout: 5))
            return answer?.status == 200
        }
    }

    /// Ends it at once.
    public func kill() async {
        guard let child = state.withLock({ $0 }) else { return }
        child.signal(SIGKILL)
        _ = await child.wait()
        state.withLock { $0 = nil }
    }

    /// The keys in the bucket, as someone else sees them.
    public func keys() async throws -> [String] {
        let signer = SigV4(accessKey: Self.accessKey, secretKey: Self.secretKey, region: "us-east-1")
        let signed = signer.sign(
            "GET", host: SigV4.host(ofOrigin: url), path: "/\(Self.bucket)", query: [("list-type", "2")],
            payload: .unsigned, time: Int(Date().timeIntervalSince1970))
        var headers: HTTPHeaders = [:]
        for header in signed { headers.set(header.name, header.value) }
        let answer = try await client.send(
            HTTPClientRequest(url: "\(url)/\(Self.bucket)?list-type=2", headers: headers))
        guard answer.status == 200 else {
            throw Failure(description: "\(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return String(decoding: answer.body, as: UTF8.self).components(separatedBy: "<Key>").dropFirst().compactMap {
            $0.components(separatedBy: "</Key>").first
        }
    }

    public var log: String { (try? String(contentsOfFile: folder.path + "/moto.log", encoding: .utf8)) ?? "" }
}
