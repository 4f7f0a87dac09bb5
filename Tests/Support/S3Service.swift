import Foundation
public import HaulCrypto
public import HaulHTTP
import HaulProtocol
import Synchronization

/// An S3 service that mistrusts its clients: moto's, behind a front that checks each signature against the bytes that
/// came over the wire, each body against the hash that was signed, and fails on demand. Objects are in memory.
public final class S3Service: Sendable {
    /// What goes wrong with requests whose method, a blank and raw path contain a text.
    public struct Fault: Sendable, Encodable {
        public var match: String
        public var times: Int
        /// Before the request is done: an answer of this status and code.
        public var status: Int?
        public var code: String?
        /// Further elements of the error's document.
        public var detail: String?
        /// A header of that answer.
        public var header: [String]?
        /// After so many bytes of the request's body the connection is cut.
        public var cutUpload: Int?
        /// After so many bytes of the answer's body the connection is cut.
        public var cutAnswer: Int?
        /// Bytes that the answer's body ends after, with a length that fits.
        public var shorten: Int?
        /// In the answer's body, what is replaced by what.
        public var replace: [String]?
        /// The `ETag` of the answer.
        public var etag: String?
        /// Of the answer, a header that is not there.
        public var without: String?
        /// The request is done, and then answered with ``status``.
        public var late: Bool
        /// Only of requests that have this header.
        public var when: String?
        /// Seconds before it is done.
        public var delay: Double?

        public init(
            _ match: String, times: Int = 1_000_000, status: Int? = nil, code: String? = nil, detail: String? = nil,
            header: [String]? = nil, cutUpload: Int? = nil, cutAnswer: Int? = nil, shorten: Int? = nil,
            replace: [String]? = nil, etag: String? = nil, without: String? = nil, late: Bool = false,
            when: String? = nil, delay: Double? = nil
        ) {
            (self.match, self.times, self.status, self.code, self.detail) = (match, times, status, code, detail)
            (self.header, self.cutUpload, self.cutAnswer, self.shorten) = (header, cutUpload, cutAnswer, shorten)
            self.when = when
            (self.replace, self.etag, self.without, self.late, self.delay) = (replace, etag, without, late, delay)
        }
    }

    public static let bucket = "haul-test"
    /// Of the same service.
    public static let otherBucket = "haul.other"
    public static let accessKey = MotoServer.accessKey
    public static let secretKey = MotoServer.secretKey
    /// Works with ``token`` alone.
    public static let temporaryKey = "ASIAHAUL0000TEST0000"
    public static let token = "Fwo//token+of/the==tests"

    public let port: Int
    private let folder: Folder
    private let child: Child
    private let client = HTTPClient()

    public var endpoint: String { "127.0.0.1:\(port)" }

    /// - Parameter certificate: Speaks TLS with it.
    public static func start(certificate: (chain: String, key: String)? = nil) async throws -> S3Service {
        let folder = try Folder()
        try S3ServiceProgram.text.write(toFile: folder.path + "/service.py", atomically: true, encoding: .utf8)
        let child = try await Child.start(
            Command(
                executable: try PythonTool.path("python"),
                arguments: [folder.path + "/service.py"] + (certificate.map { [$0.chain, $0.key] } ?? []),
                output: .pipe, errors: .append(path: folder.path + "/service.log")))
        var said = ""
        while let data = await child.output?.read() {
            said += String(decoding: data, as: UTF8.self)
            if let match = said.firstMatch(of: /port (\d+)\n/), let port = Int(match.1) {
                return S3Service(port: port, folder: folder, child: child)
            }
        }
        let log = (try? String(contentsOfFile: folder.path + "/service.log", encoding: .utf8)) ?? ""
        throw MotoServer.Failure(description: "the S3 service does not start: \(log.suffix(2000))")
    }

    private init(port: Int, folder: Folder, child: Child) {
        (self.port, self.folder, self.child) = (port, folder, child)
    }

    public func stop() async {
        child.signal(SIGKILL)
        _ = await child.wait()
    }

    /// Replaces the faults; the requests that were seen before are forgotten.
    public func set(_ faults: Fault...) async throws {
        let body = try JSONEncoder().encode(faults)
        let answer = try await client.send(
            HTTPClientRequest(method: "PUT", url: "http://\(endpoint)/_haul/faults", body: Array(body)))
        guard answer.status == 200 else { throw MotoServer.Failure(description: "faults: \(answer.status)") }
    }

    /// `METHOD /raw/path?query` of each request since ``set(_:)``.
    public func requests() async throws -> [String] {
        let answer = try await client.send(HTTPClientRequest(url: "http://\(endpoint)/_haul/log"))
        return try JSONDecoder().decode([String].self, from: Data(answer.body))
    }

    /// How many parts of uploads were on their way at a time since ``set(_:)``.
    public func mostPartsAtATime() async throws -> Int {
        let answer = try await client.send(HTTPClientRequest(url: "http://\(endpoint)/_haul/parts"))
        return try JSONDecoder().decode(Int.self, from: Data(answer.body))
    }

    /// A request of somebody else, who may do everything.
    @discardableResult
    public func ask(
        _ method: String, _ key: String = "", bucket: String = S3Service.bucket, query: [(String, String)] = [],
        headers: [SigV4.Header] = [], body: [UInt8] = []
    ) async throws -> HTTPClientResponse {
        let path = SigV4.encoded(path: "/\(bucket)\(key.isEmpty ? "" : "/")\(key)".utf8)
        let signer = SigV4(accessKey: Self.accessKey, secretKey: Self.secretKey, region: "us-east-1")
        var fields: HTTPHeaders = [:]
        for header in signer.sign(
            method, host: endpoint, path: path, query: query,
            headers: headers + [("Content-Type", "application/octet-stream")], payload: .bytes(body),
            time: Int(Date().timeIntervalSince1970))
        {
            fields.set(header.name, header.value)
        }
        return try await client.send(
            HTTPClientRequest(
                method: method,
                url: "http://\(endpoint)\(path)" + (query.isEmpty ? "" : "?" + SigV4.encoded(query: query)),
                headers: fields, body: body, maxBody: 256 << 20))
    }

    public func put(_ key: String, _ content: String) async throws {
        let answer = try await ask("PUT", key, body: Array(content.utf8))
        guard answer.status == 200 else { throw MotoServer.Failure(description: "PUT \(key): \(answer.status)") }
    }

    /// The content of an object; nil for none.
    public func read(_ key: String, bucket: String = S3Service.bucket) async throws -> [UInt8]? {
        let answer = try await ask("GET", key, bucket: bucket)
        return answer.status == 200 ? answer.body : nil
    }

    /// All keys, as bytes.
    public func keys(bucket: String = S3Service.bucket) async throws -> [[UInt8]] {
        let answer = try await client.send(HTTPClientRequest(url: "http://\(endpoint)/_haul/keys/\(bucket)"))
        return try JSONDecoder().decode([String].self, from: Data(answer.body)).map { Array($0.utf8) }
    }

    /// How many uploads are unfinished.
    public func uploads() async throws -> Int { try await unfinished().count }

    /// How many parts each unfinished upload has.
    public func unfinished() async throws -> [Int] {
        let answer = try await client.send(HTTPClientRequest(url: "http://\(endpoint)/_haul/uploads"))
        return try JSONDecoder().decode([Int].self, from: Data(answer.body))
    }
}
