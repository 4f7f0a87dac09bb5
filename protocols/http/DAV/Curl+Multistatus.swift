import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Reading WebDAV's answers from disk.
extension Curl {
    /// The resources of a multistatus document on disk.
    /// - Parameter most: So many are wanted; a document that describes more is not read into memory.
    func parse(_ file: String, what: String, most: Int) async throws -> [Resource] {
        try await run {
            var resources: [Resource] = []
            try Self.read(file, what: what) { if resources.count < most { resources.append($0) } }
            return resources
        }
    }

    /// Reads a multistatus document on disk, waiting on its own thread while `found` takes its time.
    func parse(_ file: String, what: String, found: @escaping @Sendable (Resource) throws -> Void) async throws {
        try await run {
            var stopped: (any Error)?
            try Self.read(file, what: what) { resource in
                guard stopped == nil else { return }
                do { try found(resource) } catch { stopped = error }
            }
            if let stopped { throw stopped }
        }
    }

    private static func read(_ file: String, what: String, found: @escaping (Resource) -> Void) throws {
        guard let stream = InputStream(fileAtPath: file) else {
            throw BackendFailure(.backend, "\(what): the answer cannot be read")
        }
        do {
            try Multistatus.parse(stream, found: found)
        } catch {
            throw BackendFailure(.unknown, "\(what): the answer is no WebDAV listing: \(error.reason)")
        }
    }
}
