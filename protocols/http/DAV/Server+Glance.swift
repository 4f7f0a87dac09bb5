import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// What can be told of a file for less than its properties: a HEAD or a GET costs a server a fraction of a PROPFIND, whose
/// XML both sides have to write and read. Neither tells a directory from a file for certain, so they count only where
/// something else is known.
extension Server {
    enum Glance: Sendable {
        case nothing
        case file(FileFacts)
        /// To be looked at properly.
        case unclear
    }

    /// What a HEAD says.
    func glance(_ location: Location) async throws -> Glance {
        if isPlain { return .unclear }
        let response = try await curl.metadata.perform(request(.head, location))
        guard response.exitCode == 0, response.finalURL == site.url(location) else { return .unclear }
        if response.status == 404 { return .nothing }
        guard response.status == 200, let size = response.contentLength,
            let modified = HTTPDate.seconds(response.lastModified)
        else { return .unclear }
        return .file(FileFacts(kind: .file, size: size, modified: modified))
    }

    /// A small file with its content, where it is what a listing said; nil for anything else.
    func content(
        _ location: Location, size: Int, bandwidth: Int?
    ) async throws -> (facts: FileFacts, body: Data)? {
        // One byte more than may come, so that too much is seen as such.
        var request = request(.get(), location, body: .memory(size + 1))
        request.bandwidth = bandwidth
        let response = try await curl.data.perform(request)
        guard response.isSuccess, response.status == 200, response.finalURL == site.url(location),
            response.downloaded == size, let modified = HTTPDate.seconds(response.lastModified)
        else { return nil }
        return (FileFacts(kind: .file, size: size, modified: modified), response.body)
    }
}
