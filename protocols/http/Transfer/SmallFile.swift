import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves a small file in requests that share curl processes with those of other elements.
struct SmallFile: Sendable {
    let size: Int
    /// Bytes/s at most.
    var bandwidth: Int?
    let report: ElementReport

    /// Whether a file is small enough. curl lets the first part of a second's bytes go at once whatever limit it is given, so
    /// at a bandwidth it only has what would go at once anyway.
    static func takes(_ size: Int, at bandwidth: Int?) -> Bool {
        size <= min(Curl.smallFile, bandwidth.map { $0 / 4 } ?? .max)
    }

    /// GET into a file of this machine, which is made.
    /// - Returns: What the server says of it by now.
    func download(_ server: Server, _ location: Location, into path: String) async throws -> FileFacts {
        // Private from the start; curl makes none for an empty body.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw BackendFailure.system(errno, "cannot make \(path)") }
        close(descriptor)
        let what = "GET \(location.given)"
        var request = server.request(.get(), location, body: .file(path))
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
        return FileFacts(kind: .file, size: size, modified: HTTPDate.seconds(response.lastModified))
    }

    /// PUT of a file of this machine.
    func upload(_ path: String, to server: Server, _ location: Location, onlyIfMissing: Bool) async throws {
        var request = server.request(.put(onlyIfMissing: onlyIfMissing), location, body: .file(path))
        request.bandwidth = bandwidth
        let response = try await server.curl.data.perform(request)
        guard response.isSuccess else { throw CopyWriteFailure(upload: response, "PUT \(location.given)") }
        guard response.uploaded == size else {
            throw BackendFailure(
                .interrupted, "PUT \(location.given): \(response.uploaded) bytes went, not \(size)", returncode: 26)
        }
        report.progress(transferred: size, total: size)
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
                let count = read(file.raw, buffer.baseAddress, buffer.count)
                if count < 0 { throw BackendFailure.system(errno, "cannot read \(path)") }
                if count == 0 { return hash.finish() }
                hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
