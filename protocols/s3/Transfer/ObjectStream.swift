import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

/// Bytes on their way to the bucket in a request of their own: an object, or one part of it. Their md5 is computed as
/// they pass and compared with the ETag: what the server says that it has.
final class ObjectStream: Sendable {
    /// What the server has now.
    struct Arrived: Sendable {
        var etag: String
        /// Of what was sent, as hexadecimal digits.
        var md5: String
        /// The ETag says the same.
        var isProven: Bool
    }

    /// Bytes of what the server says of it.
    private static let longestAnswer = 1 << 20

    private let bucket: Bucket
    private let stream: CurlStream
    private let hash: Hasher
    private let what: String

    /// `StreamHash` for a sender that is one task at a time.
    private actor Hasher {
        private let hash: StreamHash
        init() throws { hash = try StreamHash(.md5) }
        func update(_ data: Data) { data.withUnsafeBytes { hash.update($0) } }
        func finish() -> String { String(hash.finish().dropFirst("md5:".count)) }
    }

    /// - Parameter length: The bytes that will be sent, exactly.
    static func start(
        _ bucket: Bucket, _ key: [UInt8], query: [(String, String)] = [], headers: [SigV4.Header] = [], length: Int,
        what: String
    ) async throws -> ObjectStream {
        var request = bucket.request(.put, key, query: query, headers: headers, sent: .stream(length))
        request.answer = .memory(longestAnswer)
        let hash = try Hasher()
        let stream = try CurlStream.start(request, in: bucket.curl.streams)
        return ObjectStream(bucket, stream, hash, what)
    }

    private init(_ bucket: Bucket, _ stream: CurlStream, _ hash: Hasher, _ what: String) {
        (self.bucket, self.stream, self.hash, self.what) = (bucket, stream, hash, what)
    }

    /// - Throws: What the server said, once it takes no more.
    func write(_ data: Data) async throws {
        guard await stream.write(data) else { throw await refusal(await stream.finish()) }
        await hash.update(data)
    }

    /// - Throws: ``Refused`` for what the server did not take.
    func finish() async throws -> Arrived {
        let response = await stream.finish()
        try Task.checkCancellation()
        guard response.isSuccess else { throw await refusal(response) }
        let md5 = await hash.finish()
        let isProven = try Self.compare(md5, response, what)
        return Arrived(etag: response.etag, md5: md5, isProven: isProven)
    }

    /// To the server the body is cut off.
    func abort() { stream.abort() }

    /// After ``abort()``: returns once nothing is sent any more.
    func ended() async {
        _ = await stream.finish()
    }

    /// Whether an answer's ETag is the md5 of what was sent.
    /// - Throws: ``BackendFailure`` (`checksum`) where it is that of something else.
    static func compare(_ md5: String, _ response: HTTPResponse, _ what: String) throws -> Bool {
        guard !ObjectFacts.isEncrypted(response), let arrived = ObjectFacts.md5(response.etag) else { return false }
        guard arrived == md5 else {
            throw BackendFailure(.checksum, "\(what): md5:\(arrived) arrived, not md5:\(md5)")
        }
        return true
    }

    private func refusal(_ response: HTTPResponse) async -> Refused {
        let error = try? await bucket.curl.run { S3Error.parse(String(decoding: response.body, as: UTF8.self)) }
        return Refused(status: response.status, failure: response.failure(what, error ?? nil))
    }

    /// A request whose body the server did not take.
    struct Refused: Error {
        let status: Int
        let failure: BackendFailure

        /// The same may go well in a moment.
        var passes: Bool {
            [429, 500, 502, 503].contains(status)
                || status < 400 && [.interrupted, .connect].contains(failure.errorClass)
        }
    }
}
