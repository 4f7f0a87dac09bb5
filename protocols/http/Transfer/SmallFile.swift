import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves a small file in requests that share curl processes with those of other elements.
struct SmallFile: Sendable {
    let size: Int
    let report: ElementReport

    /// GET into a file of this machine, which is made.
    func download(_ server: Server, _ location: Location, into path: String) async throws {
        // Private from the start; curl makes none for an empty body.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw LocalFile.failure("make", path) }
        close(descriptor)
        let what = "GET \(location.given)"
        let response = try await server.curl.data.perform(server.request(.get(), location, body: .file(path)))
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
    }

    /// PUT of a file of this machine.
    func upload(_ path: String, to server: Server, _ location: Location, onlyIfMissing: Bool) async throws {
        let response = try await server.curl.data.perform(
            server.request(.put(onlyIfMissing: onlyIfMissing), location, body: .file(path)))
        guard response.isSuccess else {
            throw UploadFailure(status: response.status, failure: response.failure("PUT \(location.given)"))
        }
        guard response.uploaded == size else {
            throw BackendFailure(
                .interrupted, "PUT \(location.given): \(response.uploaded) bytes went, not \(size)", returncode: 26)
        }
        report.progress(transferred: size, total: size)
    }

    /// The md5 of a file of this machine.
    static func checksum(_ path: String, _ curl: Curl) async throws -> String {
        try await curl.run {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw LocalFile.failure("open", path) }
            defer { close(descriptor) }
            let hash = try StreamHash(.md5)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count >= 0 else { throw LocalFile.failure("read", path) }
                if count == 0 { return hash.finish() }
                hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
