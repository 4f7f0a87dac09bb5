import Foundation
import HaulCrypto
import HaulHTTP
import Synchronization

/// An S3 bucket: whole objects in, ranges out. Keys are below the address's prefix. Every call may be repeated.
///
/// Each throws `away` when the bucket gives no proper answer; the text names status and error code, never a key of ours.
final class Bucket: Sendable {
    private let address: BucketAddress
    private let client: HTTPClient
    private let signer: SigV4
    /// Seconds after an answer that says to come again (5xx, 429), before the request is sent once more.
    private static let pauses = [0.1, 0.4]
    /// Bytes of an answer that is no object.
    private static let longestDocument = 4 << 20

    init(_ address: BucketAddress) {
        self.address = address
        signer = SigV4(accessKey: address.accessKey, secretKey: address.secretKey, region: address.region)
        var configuration = HTTPClientConfiguration()
        configuration.connectTimeout = 5
        configuration.authoritiesPath = address.authoritiesPath
        client = HTTPClient(configuration: configuration)
    }

    func put(_ key: String, _ bytes: [UInt8]) async throws(LogError) {
        _ = try accepted(await send("PUT", key, body: bytes))
    }

    /// Bytes of an object; nil where there is none.
    func length(_ key: String) async throws(LogError) -> Int? {
        let answer = try await send("HEAD", key)
        if answer.status == 404 { return nil }
        _ = try accepted(answer)
        guard let length = answer.headers["Content-Length"].flatMap({ Int($0) }) else {
            throw .away("the bucket does not say how long an object is")
        }
        return length
    }

    /// Up to `count` bytes of an object, from `from` on, and how long it is; nil where there is none.
    func read(_ key: String, from: Int, count: Int) async throws(LogError) -> (bytes: [UInt8], size: Int)? {
        guard count > 0 else { return try await length(key).map { ([], $0) } }
        let answer = try await send(
            "GET", key, headers: ["Range": "bytes=\(from)-\(from + count - 1)"], maxBody: count)
        switch answer.status {
        case 404: return nil
        case 416: return try await length(key).map { ([], $0) }
        case 206: break
        default:
            _ = try accepted(answer)
            throw .away("the bucket answers \(answer.status) to a range")
        }
        // `bytes FIRST-LAST/SIZE`
        guard let range = answer.headers["Content-Range"], range.hasPrefix("bytes ") else {
            throw .away("the bucket answers a range without Content-Range")
        }
        let numbers = range.dropFirst(6).split { $0 == "-" || $0 == "/" }.map { Int($0) }
        guard numbers.count == 3, let first = numbers[0], let last = numbers[1], let size = numbers[2], first == from,
            last == first + answer.body.count - 1, answer.body.count == min(count, size - from)
        else { throw .away("the bucket answers another range than it was asked for") }
        return (answer.body, size)
    }

    /// The keys that begin with `prefix`, up to a page of them.
    func keys(below prefix: String) async throws(LogError) -> [String] {
        let query = [("list-type", "2"), ("prefix", address.prefix + prefix)]
        let answer = try accepted(await send("GET", nil, query: query))
        return XMLText.values("Key", in: answer.body).compactMap { key in
            key.hasPrefix(address.prefix + prefix) ? String(key.dropFirst(address.prefix.count)) : nil
        }
    }

    func delete(_ key: String) async throws(LogError) {
        let answer = try await send("DELETE", key)
        if answer.status != 404 { _ = try accepted(answer) }
    }

    /// Begins an object in parts; what earlier tries left of it goes.
    ///
    /// - Returns: the upload's id.
    func beginParts(_ key: String) async throws(LogError) -> String {
        let left = try accepted(
            await send("GET", nil, query: [("prefix", address.prefix + key), ("uploads", "")]))
        let keys = XMLText.values("Key", in: left.body)
        for (name, id) in zip(keys, XMLText.values("UploadId", in: left.body)) where name == address.prefix + key {
            _ = try await send("DELETE", key, query: [("uploadId", id)])
        }
        let answer = try accepted(await send("POST", key, query: [("uploads", "")]))
        guard let id = XMLText.values("UploadId", in: answer.body).first, !id.isEmpty else {
            throw .away("the bucket gives no id for an upload")
        }
        return id
    }

    /// - Parameter number: from 1.
    /// - Returns: the part's tag.
    func putPart(_ key: String, upload: String, number: Int, _ bytes: [UInt8]) async throws(LogError) -> String {
        let query = [("partNumber", "\(number)"), ("uploadId", upload)]
        guard let tag = try accepted(await send("PUT", key, query: query, body: bytes)).headers["ETag"] else {
            throw .away("the bucket gives no tag for a part")
        }
        return tag
    }

    func finishParts(_ key: String, upload: String, tags: [String]) async throws(LogError) {
        let parts = tags.enumerated().map {
            "<Part><PartNumber>\($0.offset + 1)</PartNumber><ETag>\(XMLText.escaped($0.element))</ETag></Part>"
        }
        let document = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        let answer = try accepted(
            await send("POST", key, query: [("uploadId", upload)], body: Array(document.utf8)))
        // It may fail after its 200 was sent.
        if let code = XMLText.values("Code", in: answer.body).first, XMLText.values("ETag", in: answer.body).isEmpty {
            throw .away("the bucket refuses an upload's end: \(code.prefix(64))")
        }
    }

    private func accepted(_ answer: HTTPClientResponse) throws(LogError) -> HTTPClientResponse {
        if (200..<300).contains(answer.status) { return answer }
        let code = XMLText.values("Code", in: answer.body).first ?? ""
        throw .away("the bucket answers \(answer.status) \(code.filter { $0.isLetter }.prefix(64))")
    }

    private func send(
        _ method: String, _ key: String?, query: [(String, String)] = [], headers: HTTPHeaders = [:],
        body: [UInt8] = [], maxBody: Int? = nil
    ) async throws(LogError) -> HTTPClientResponse {
        let path = SigV4.encoded(path: ("/\(address.bucket)" + (key.map { "/\(address.prefix)\($0)" } ?? "")).utf8)
        var given = headers.fields.map { (name: $0.name, value: $0.value) }
        given.append(("Content-Type", "application/octet-stream"))
        let signed = signer.sign(
            method, host: SigV4.host(ofOrigin: address.endpoint), path: path, query: query, headers: given,
            payload: .bytes(body), time: Int(time(nil)))
        var fields: HTTPHeaders = [:]
        for header in signed { fields.set(header.name, header.value) }
        let request = HTTPClientRequest(
            method: method, url: address.endpoint + path + (query.isEmpty ? "" : "?" + SigV4.encoded(query: query)),
            headers: fields, body: body, idleTimeout: address.patience,
            // An error has a document where an object was asked for.
            maxBody: max(maxBody ?? 0, Self.longestDocument))
        for pause in Self.pauses {
            let answer = try await exchange(request)
            if answer.status < 500, answer.status != 429 { return answer }
            do { try await Task.sleep(for: .seconds(pause)) } catch { return answer }
        }
        return try await exchange(request)
    }

    private func exchange(_ request: HTTPClientRequest) async throws(LogError) -> HTTPClientResponse {
        do {
            return try await client.send(request)
        } catch {
            throw .away("the bucket can't be reached: \(error)")
        }
    }
}

/// What there is to read and to write of S3's documents.
enum XMLText {
    /// The texts of all elements of a name, in order; attributes and nesting make no difference.
    static func values(_ name: String, in document: [UInt8]) -> [String] {
        let (start, end) = (Data("<\(name)>".utf8), Data("</\(name)>".utf8))
        var result: [String] = []
        var rest = Data(document)[...]
        while let begin = rest.range(of: start) {
            rest = rest[begin.upperBound...]
            guard let close = rest.range(of: end) else { break }
            result.append(unescaped(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return result
    }

    // Both byte by byte: to Swift's String a sign with an accent behind it is another one.

    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let entity = entities.first { $0.isWritten && $0.byte == byte }
            bytes += entity.map { Array($0.text.utf8) } ?? [byte]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func unescaped(_ text: Data) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.first {
            let entity = byte == UInt8(ascii: "&") ? entities.first { rest.starts(with: $0.text.utf8) } : nil
            bytes.append(entity?.byte ?? byte)
            rest = rest.dropFirst(entity?.text.utf8.count ?? 1)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let entities: [(text: String, byte: UInt8, isWritten: Bool)] = [
        ("&amp;", UInt8(ascii: "&"), true), ("&lt;", UInt8(ascii: "<"), true), ("&quot;", UInt8(ascii: "\""), true),
        ("&gt;", UInt8(ascii: ">"), false), ("&#34;", UInt8(ascii: "\""), false), ("&apos;", UInt8(ascii: "'"), false),
    ]
}
