import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves a small file in requests that share curl processes with those of other elements.
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

    /// GET into a file of this machine, which is made.
    /// - Parameter version: The ETag that it must still have.
    func download(into path: String, size: Int, version: String?) async throws {
        // Private from the start; curl makes none for an empty body.
        let made = try await bucket.curl.run { () throws -> Bool in
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { return false }
            close(descriptor)
            return true
        }
        guard made else { throw BackendFailure(.permission, "\(path) cannot be made") }
        let what = "GET \(place.shown)"
        var request = bucket.request(.get, place.key)
        if let version, !version.isEmpty { request.headers = [("If-Match", version)] }
        request.answer = .file(path)
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
    }

    /// PUT of a file of this machine, signed with its hash: no other content passes.
    /// - Returns: The object's ETag, and whether it is the md5 of the content.
    func upload(
        _ path: String, _ sums: Sums, headers: [SigV4.Header], onlyIfMissing: Bool
    ) async throws -> (etag: String, isProven: Bool) {
        let conditional = onlyIfMissing && bucket.canCondition
        let what = "PUT \(place.shown)"
        var request = bucket.request(
            .put, place.key, headers: headers + (conditional ? [("If-None-Match", "*")] : []),
            sent: .file(path, hash: .sha256(sums.sha256)))
        request.bandwidth = bandwidth
        let reply = try await bucket.send(request, in: bucket.curl.data)
        if reply.isUnknownToServer, conditional {
            bucket.rememberNoCondition()
            return try await upload(path, sums, headers: headers, onlyIfMissing: false)
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

    /// All hashes of a file that are needed, in one pass.
    static func sums(_ path: String, _ wanted: StreamHash.Algorithm?, _ curl: Curl) async throws -> Sums {
        try await curl.run {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
            guard descriptor >= 0 else {
                throw BackendFailure(errno == ENOENT ? .notFound : .permission, "\(path) cannot be read")
            }
            defer { close(descriptor) }
            let (md5, sha256) = (try StreamHash(.md5), try StreamHash(.sha256))
            let third = wanted == .md5 || wanted == .sha256 ? nil : try wanted.map { try StreamHash($0) }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { buffer.deallocate() }
            var size = 0
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count >= 0 else { throw BackendFailure(.unknown, "\(path) cannot be read") }
                if count == 0 { break }
                size += count
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                md5.update(piece)
                sha256.update(piece)
                third?.update(piece)
            }
            let (one, other) = (md5.finish(), sha256.finish())
            let sum = wanted == .md5 ? one : wanted == .sha256 ? other : third?.finish()
            return Sums(
                md5: String(one.dropFirst("md5:".count)), sha256: String(other.dropFirst("sha256:".count)), wanted: sum,
                size: size)
        }
    }
}
