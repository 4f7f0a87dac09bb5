import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Reading WebDAV's answers.
extension Curl {
    /// The resources of a small multistatus document.
    /// - Parameter most: So many are wanted.
    static func parse(_ document: Data, what: String, most: Int) throws -> [Resource] {
        var resources: [Resource] = []
        try checkText(document, what: what)
        try read(InputStream(data: document), what: what) { if resources.count < most { resources.append($0) } }
        return resources
    }

    /// Reads a multistatus document on disk, waiting on its own thread while `found` takes its time.
    func parse(_ file: String, what: String, found: @escaping @Sendable (Resource) throws -> Void) async throws {
        try await run {
            var stopped: (any Error)?
            guard let stream = InputStream(fileAtPath: file),
                let document = try? Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped)
            else {
                throw BackendFailure(.backend, "\(what): the answer cannot be read")
            }
            try Self.checkText(document, what: what)
            try Self.read(stream, what: what) { resource in
                guard stopped == nil else { return }
                do { try found(resource) } catch { stopped = error }
            }
            if let stopped { throw stopped }
        }
    }

    private static func checkText(_ document: Data, what: String) throws {
        guard document.isSafeXML else {
            throw BackendFailure(.unknown, "\(what): the answer is no WebDAV listing: it is no plain UTF-8")
        }
    }

    private static func read(_ stream: InputStream, what: String, found: @escaping (Resource) -> Void) throws {
        do {
            try Multistatus.parse(stream, found: found)
        } catch {
            throw BackendFailure(.unknown, "\(what): the answer is no WebDAV listing: \(error.reason)")
        }
    }
}
