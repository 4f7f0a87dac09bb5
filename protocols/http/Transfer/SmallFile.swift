import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves a small file in one request, over connections that other elements use too.
struct SmallFile: Sendable {
    let size: Int
    /// Bytes/s at most.
    var bandwidth: Int?
    let report: ElementReport

    /// Whether a file is small enough. libcurl lets the first part of a second's bytes go at once whatever limit it is
    /// given, so at a bandwidth it only has what would go at once anyway.
    static func takes(_ size: Int, at bandwidth: Int?) -> Bool {
        size <= min(Curl.smallFile, bandwidth.map { $0 / 4 } ?? .max)
    }

    /// GET into a file of this machine, which is made.
    /// - Returns: What the server says of it by now.
    func download(_ server: Server, _ location: Location, into path: String) async throws -> FileFacts {
        // Private from the start.
        try await server.curl.run {
            let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
            _ = try Descriptor(open(path, flags, 0o600), "cannot make \(path)")
        }
        return try await get(server, location, .file(path)).facts
    }

    /// GET into memory.
    func download(_ server: Server, _ location: Location) async throws -> (facts: FileFacts, body: Data) {
        // One byte more than may come, so that too much is seen as such.
        try await get(server, location, .memory(size + 1))
    }

    private func get(
        _ server: Server, _ location: Location, _ body: HTTPRequest.Body
    ) async throws -> (facts: FileFacts, body: Data) {
        let what = "GET \(location.given)"
        var request = server.request(.get(), location, body: body)
        request.bandwidth = bandwidth
        let response = try await server.curl.data.perform(request)
        if response.status < 400, response.downloaded > size || response.exitCode == 23 && response.downloaded >= size {
            throw BackendFailure(
                .invalid, "\(what): the server sends more than the \(size) bytes that it announced", returncode: 23)
        }
        guard response.isSuccess else { throw response.failure(what) }
        guard response.downloaded == size else {
            throw BackendFailure(
                .interrupted, "\(what): \(response.downloaded) bytes came, not \(size)", returncode: 18)
        }
        report.progress(transferred: size, total: size)
        let modified = HTTPDate.seconds(response.lastModified)
        return (FileFacts(kind: .file, size: size, modified: modified), response.body)
    }

    /// PUT of a file of this machine, or of bytes.
    func upload(
        _ body: HTTPRequest.Body, to server: Server, _ location: Location, onlyIfMissing: Bool
    ) async throws {
        let what = "PUT \(location.given)"
        var request = server.request(.put(onlyIfMissing: onlyIfMissing), location, body: body)
        request.bandwidth = bandwidth
        let response = try await server.curl.data.perform(request)
        if onlyIfMissing, response.repeated, response.status == 412 {
            // Whether it was the first of the two that put it there is seen by who looks again.
            throw CopyWriteFailure(
                BackendFailure(.interrupted, "\(what): the connection broke, and something is there by now"),
                wroteNothing: true)
        }
        guard response.isSuccess else { throw CopyWriteFailure(upload: response, what) }
        guard response.uploaded == size else {
            throw BackendFailure(
                .interrupted, "\(what): \(response.uploaded) bytes went, not \(size)", returncode: 26)
        }
        report.progress(transferred: size, total: size)
    }

    /// Writes a file of this machine anew.
    static func write(_ bytes: Data, to path: String) throws {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let file = try Descriptor(open(path, flags, 0o600), "cannot make \(path)")
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(file.raw, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { throw BackendFailure.system(errno, "cannot write \(path)") }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Reads a file of this machine.
    /// - Throws: ``BackendFailure`` (`busy`) where it is not of that size any more.
    static func read(_ path: String, size: Int) throws -> Data {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let file = try Descriptor(open(path, flags), "cannot open \(path)")
        // One byte more shows that it grew.
        var bytes = Data(count: size + 1)
        var seen = 0
        try bytes.withUnsafeMutableBytes { room in
            while seen < room.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: room[seen...])
                let count = Foundation.read(file.raw, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count < 0 { throw BackendFailure.system(errno, "cannot read \(path)") }
                if count == 0 { break }
                seen += count
            }
        }
        guard seen == size else { throw BackendFailure(.busy, "\(path) was changed while it was copied") }
        return bytes.prefix(size)
    }

    /// The checksum of bytes in memory; nil where none is wanted.
    static func checksum(_ bytes: Data, _ algorithm: StreamHash.Algorithm?) throws -> String? {
        guard let algorithm else { return nil }
        let hash = try StreamHash(algorithm)
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    /// The same where nothing may take its time.
    static func checksum(_ bytes: Data, _ algorithm: StreamHash.Algorithm?, _ curl: Curl) async throws -> String? {
        algorithm == nil ? nil : try await curl.run { try checksum(bytes, algorithm) }
    }

    /// The checksum of a file of this machine; nil where none is wanted.
    static func checksum(_ path: String, _ algorithm: StreamHash.Algorithm?, _ curl: Curl) async throws -> String? {
        guard let algorithm else { return nil }
        return try await curl.run {
            let file = try Descriptor(open(path, O_RDONLY | O_CLOEXEC), "cannot open \(path)")
            let hash = try StreamHash(algorithm)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = Foundation.read(file.raw, buffer.baseAddress, buffer.count)
                if count < 0 { throw BackendFailure.system(errno, "cannot read \(path)") }
                if count == 0 { return hash.finish() }
                hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
