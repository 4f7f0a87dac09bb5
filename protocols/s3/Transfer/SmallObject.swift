import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves a small file in one request, over connections that other elements use too.
struct SmallObject: Sendable {
    /// What a file of this machine holds, from reading it once.
    struct Sums: Sendable {
        var md5: String
        var sha256: String
        /// As the copy wants it: `sha1:HEX`.
        var wanted: String?
        var size: Int
    }

    let bucket: Bucket
    let place: Place
    /// Bytes/s at most.
    var bandwidth: Int?
    let report: ElementReport

    /// Whether a file is small enough. libcurl lets the first part of a second's bytes go at once whatever limit it is
    /// given, so at a bandwidth it only has what would go at once anyway.
    static func takes(_ size: Int, at bandwidth: Int?) -> Bool {
        size <= min(Curl.smallFile, bandwidth.map { $0 / 4 } ?? .max)
    }

    /// GET into a file of this machine, which is made.
    /// - Parameter version: The ETag that it must still have.
    func download(into path: String, size: Int, version: String?) async throws {
        // Private from the start.
        let made = try await bucket.curl.run { () throws -> Bool in
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { return false }
            close(descriptor)
            return true
        }
        guard made else { throw BackendFailure(.permission, "\(path) cannot be made") }
        _ = try await get(.file(path), size: size, version: version)
    }

    /// GET into memory.
    func download(size: Int, version: String?) async throws -> Data {
        // One byte more than may come, so that too much is seen as such.
        try await get(.memory(size + 1), size: size, version: version)
    }

    private func get(_ answer: S3Request.Answer, size: Int, version: String?) async throws -> Data {
        let what = "GET \(place.shown)"
        var request = bucket.request(.get, place.key)
        if let version, !version.isEmpty { request.headers = [("If-Match", version)] }
        request.answer = answer
        request.bandwidth = bandwidth
        var response = try await bucket.curl.data.perform(request)
        for pause in [0.2, 1.0] where [429, 500, 502, 503].contains(response.status) {
            try await Task.sleep(for: .seconds(pause * Double.random(in: 0.7...1.3)))
            response = try await bucket.curl.data.perform(request)
        }
        if response.status < 400, response.downloaded > size || response.exitCode == 23 && response.downloaded >= size {
            throw BackendFailure(
                .invalid, "\(what): the server sends more than the \(size) bytes that it announced", returncode: 23)
        }
        if response.status == 412 {
            throw BackendFailure(.busy, "\(what): it changed while it was read", returncode: 22)
        }
        guard response.isSuccess else { throw await bucket.refusal(response, of: place, what) }
        guard response.downloaded == size else {
            throw BackendFailure(
                .interrupted, "\(what): \(response.downloaded) bytes came, not \(size)", returncode: 18)
        }
        report.progress(transferred: size, total: size)
        return response.body
    }

    /// PUT of a file of this machine or of bytes, signed with their hash: no other content passes.
    /// - Returns: The object's ETag, and whether it is the md5 of the content.
    func upload(
        _ content: Content, _ sums: Sums, headers: [SigV4.Header], onlyIfMissing: Bool
    ) async throws -> (etag: String, isProven: Bool) {
        let conditional = onlyIfMissing && bucket.canCondition
        let what = "PUT \(place.shown)"
        var request = bucket.request(
            .put, place.key, headers: headers + (conditional ? [("If-None-Match", "*")] : []),
            sent: content.sent(hash: .sha256(sums.sha256)))
        request.bandwidth = bandwidth
        let reply = try await bucket.send(request, in: bucket.curl.data)
        if reply.isUnknownToServer, conditional {
            bucket.rememberNoCondition()
            return try await upload(content, sums, headers: headers, onlyIfMissing: false)
        }
        if reply.response.status == 412, reply.repeated, let there = try await bucket.object(place),
            there.md5 == sums.md5
        {
            // The answer to the first of two was lost.
            return (there.etag, true)
        }
        guard reply.response.isSuccess else { throw reply.response.failure(what, reply.error) }
        guard reply.response.uploaded == sums.size else {
            throw BackendFailure(
                .interrupted, "\(what): \(reply.response.uploaded) bytes went, not \(sums.size)", returncode: 26)
        }
        do {
            let isProven = try ObjectStream.compare(sums.md5, reply.response, what)
            report.progress(transferred: sums.size, total: sums.size)
            return (reply.response.etag, isProven)
        } catch {
            // It is there by now, and is not what it should be.
            try? await bucket.delete(place.key, place.shown)
            throw error
        }
    }

    /// What is uploaded.
    enum Content: Sendable {
        case bytes(Data)
        case file(String)

        fileprivate func sent(hash: SigV4.Payload) -> S3Request.Sent {
            switch self {
            case .bytes(let bytes): .bytes(bytes, hash: hash)
            case .file(let path): .file(path, hash: hash)
            }
        }
    }

    /// All hashes of bytes that are needed.
    static func sums(_ bytes: Data, _ wanted: StreamHash.Algorithm?) throws -> Sums {
        var hashes = try Hashes(wanted)
        bytes.withUnsafeBytes { hashes.update($0) }
        return hashes.finish()
    }

    /// All hashes of a file that are needed, in one pass.
    static func sums(_ path: String, _ wanted: StreamHash.Algorithm?, _ curl: Curl) async throws -> Sums {
        try await curl.run {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
            guard descriptor >= 0 else {
                throw BackendFailure(errno == ENOENT ? .notFound : .permission, "\(path) cannot be read")
            }
            defer { close(descriptor) }
            var hashes = try Hashes(wanted)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count >= 0 else { throw BackendFailure(.unknown, "\(path) cannot be read") }
                if count == 0 { return hashes.finish() }
                hashes.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// The hashes of ``Sums``, as the bytes pass.
    private struct Hashes {
        private let md5: StreamHash
        private let sha256: StreamHash
        private let third: StreamHash?
        private let wanted: StreamHash.Algorithm?
        private var size = 0

        init(_ wanted: StreamHash.Algorithm?) throws {
            self.wanted = wanted
            (md5, sha256) = (try StreamHash(.md5), try StreamHash(.sha256))
            third = wanted == .md5 || wanted == .sha256 ? nil : try wanted.map { try StreamHash($0) }
        }

        mutating func update(_ piece: UnsafeRawBufferPointer) {
            size += piece.count
            md5.update(piece)
            sha256.update(piece)
            third?.update(piece)
        }

        func finish() -> Sums {
            let (one, other) = (md5.finish(), sha256.finish())
            let sum = wanted == .md5 ? one : wanted == .sha256 ? other : third?.finish()
            return Sums(
                md5: String(one.dropFirst("md5:".count)), sha256: String(other.dropFirst("sha256:".count)), wanted: sum,
                size: size)
        }
    }
}
