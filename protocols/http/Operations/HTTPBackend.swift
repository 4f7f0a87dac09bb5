import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// WebDAV and plain HTTP through curl (RFC 4918, RFC 9110).
struct HTTPBackend: Backend {
    let source: Server
    /// Of a copy.
    let destination: Server?
    let options: CommonOptions

    static var threads: BackendThreads { .own(CurlConnections.shared.executor) }

    static func open(_ batch: BatchSpec) async throws -> HTTPBackend {
        let batch = await batch.reaching(standardPort: \.webPort)
        let curl = Curl(batch, name: "http")
        let proxy = batch.settings["proxy"]?.string
        let source = try Site(batch.source, scratch: batch.scratch, proxy: proxy)
        let destination = try batch.destination.map { try Site($0, scratch: batch.scratch, proxy: proxy) }
        return HTTPBackend(
            source: Server(site: source, curl: curl),
            destination: destination.map { Server(site: $0, curl: curl) }, options: batch.common)
    }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Listing(server: source, depth: options.depth, report: report).run(element.source)
    }

    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Change(server: source, options: options, element: element, report: report).remove()
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Change(server: source, options: options, element: element, report: report).rename()
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Change(server: source, options: options, element: element, report: report).makeDirectory()
    }
}
