import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

/// An object that comes in parts; there is nothing to see of it before it is finished.
struct MultipartUpload: Sendable, Equatable {
    /// One part that the server has.
    struct Part: Sendable, Equatable {
        var number: Int
        var etag: String
        var size: Int

        /// What the server says that arrived.
        var md5: String? { ObjectFacts.md5(etag) }
    }

    var key: [UInt8]
    var id: String

    /// The ETag of an object that was made of parts: the md5 of their md5s, and how many.
    static func etag(_ md5s: [String]) throws -> String {
        let hash = try StreamHash(.md5)
        for digits in md5s {
            let text = Array(digits.utf8)
            hash.update(stride(from: 0, to: text.count - 1, by: 2).map { (value(text[$0]) << 4) | value(text[$0 + 1]) })
        }
        return "\(hash.finish().dropFirst("md5:".count))-\(md5s.count)"
    }

    private static func value(_ digit: UInt8) -> UInt8 { digit <= UInt8(ascii: "9") ? digit - 48 : digit - 87 }
}

extension Bucket {
    /// Headers that an object is made with: its modification time, as rclone keeps it, and its type.
    /// - Parameter contentType: Empty for none that is known; curl would not send an empty one, which was signed.
    static func metadata(mtime: String, contentType: String = "") -> [SigV4.Header] {
        var headers: [SigV4.Header] = [
            ("Content-Type", contentType.isEmpty ? "application/octet-stream" : contentType)
        ]
        if !mtime.isEmpty { headers.append(("x-amz-meta-mtime", mtime)) }
        return headers
    }

    func begin(_ place: Place, headers: [SigV4.Header]) async throws -> MultipartUpload {
        let what = "begin \(place.shown)"
        let reply = try await accepted(
            request(.post, place.key, query: [("uploads", "")], headers: headers), what)
        guard let id = XMLTree.parse(reply.document)?["UploadId"], !id.isEmpty else {
            throw BackendFailure(.unknown, "\(what): the server gives no id for an upload in parts")
        }
        return MultipartUpload(key: place.key, id: id)
    }

    /// What is under way to a key, by whomever; the youngest first, a few.
    func unfinished(_ place: Place) async throws -> [MultipartUpload] {
        let reply = try await accepted(
            request(
                .get, [], query: [("uploads", ""), ("prefix", String(decoding: place.key, as: UTF8.self))]),
            "unfinished uploads to \(place.shown)")
        let uploads = XMLTree.parse(reply.document)?.children("Upload") ?? []
        return uploads.filter { Array($0["Key"].utf8) == place.key && !$0["UploadId"].isEmpty }
            .sorted { $0["Initiated"] > $1["Initiated"] }.prefix(8)
            .map { MultipartUpload(key: place.key, id: $0["UploadId"]) }
    }

    /// The parts that the server has of an upload, in order; nil where it is gone.
    func parts(of upload: MultipartUpload, _ shown: String) async throws -> [MultipartUpload.Part]? {
        var parts: [MultipartUpload.Part] = []
        var marker = 0
        while true {
            let query = [("uploadId", upload.id), ("part-number-marker", "\(marker)")]
            let reply = try await send(request(.get, upload.key, query: query))
            if reply.response.status == 404 { return nil }
            let what = "parts of \(shown)"
            guard reply.response.isSuccess else { throw reply.response.failure(what, reply.error) }
            guard let root = XMLTree.parse(reply.document), root.name.hasPrefix("ListParts") else {
                throw BackendFailure(.unknown, "\(what): the answer is no list of parts")
            }
            for part in root.children("Part") {
                guard let number = Int(part["PartNumber"]), let size = Int(part["Size"]) else { continue }
                parts.append(MultipartUpload.Part(number: number, etag: part["ETag"], size: size))
            }
            let last = parts.last?.number ?? 0
            guard root["IsTruncated"].lowercased() == "true", last > marker, parts.count <= Limits.mostParts else {
                return parts
            }
            marker = last
        }
    }

    /// Puts the parts together: from then on the object is there.
    /// - Returns: Its ETag.
    func finish(
        _ upload: MultipartUpload, _ parts: [MultipartUpload.Part], at place: Place, onlyIfMissing: Bool
    ) async throws -> String {
        let list = parts.sorted { $0.number < $1.number }.map {
            "<Part><PartNumber>\($0.number)</PartNumber><ETag>\(XMLTree.escaped($0.etag))</ETag></Part>"
        }
        let document =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list.joined())"
            + "</CompleteMultipartUpload>"
        let conditional = onlyIfMissing && canCondition
        let what = "finish \(place.shown)"
        // A server that puts a large object together takes its time.
        let reply = try await send(
            request(
                .post, upload.key, query: [("uploadId", upload.id)],
                headers: conditional ? [("If-None-Match", "*")] : [], sent: .document(document)), in: curl.copies)
        if reply.isUnknownToServer, conditional {
            rememberNoCondition()
            return try await finish(upload, parts, at: place, onlyIfMissing: false)
        }
        let md5s = parts.sorted { $0.number < $1.number }.compactMap(\.md5)
        if !reply.response.isSuccess, reply.repeated, [404, 412].contains(reply.response.status),
            md5s.count == parts.count, let there = try await object(place),
            there.etag.contains(try MultipartUpload.etag(md5s))
        {
            // The answer to the first of two was lost.
            return there.etag
        }
        guard reply.response.isSuccess else { throw reply.response.failure(what, reply.error) }
        // It may fail after its 200 was sent.
        guard let result = XMLTree.parse(reply.document), result.name != "Error" else {
            var failure = reply.response
            failure.status = 500
            throw failure.failure(what, reply.error ?? S3Error(code: "InternalError"))
        }
        return result["ETag"]
    }

    /// Lets go of what an upload has sent; being gone is fine. Not for long, and in a task of its own: it is this one's
    /// cancellation that has it end, mostly.
    func letGo(of upload: MultipartUpload) async {
        await Task {
            try? await Abandonable.run(limit: .seconds(3)) { [self] in
                _ = try await send(request(.delete, upload.key, query: [("uploadId", upload.id)]))
            }
        }.value
    }

    /// Lets the server copy a range of an object into a part.
    func copyPart(
        _ number: Int, _ range: Range<Int>, of source: Place, at other: Site, etag: String, into upload: MultipartUpload
    ) async throws -> MultipartUpload.Part {
        var headers: [SigV4.Header] = [
            ("x-amz-copy-source", other.copySource(source.key)),
            ("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
        ]
        if !etag.isEmpty { headers.append(("x-amz-copy-source-if-match", etag)) }
        let what = "copy of part \(number) of \(source.shown)"
        let reply = try await send(
            request(
                .put, upload.key, query: [("partNumber", "\(number)"), ("uploadId", upload.id)], headers: headers),
            in: curl.copies)
        if reply.response.status == 412 {
            throw BackendFailure(.interrupted, "\(source.shown) changed while it was copied", returncode: 22)
        }
        guard reply.response.isSuccess, let result = XMLTree.parse(reply.document), result.name != "Error",
            !result["ETag"].isEmpty
        else {
            var failure = reply.response
            if failure.isSuccess { failure.status = 500 }
            throw failure.failure(what, reply.error)
        }
        return MultipartUpload.Part(number: number, etag: result["ETag"], size: range.count)
    }
}
