import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// WebDAV and plain HTTP through curl (RFC 4918, RFC 9110).
struct HTTPBackend: Backend {
    private let curl: Curl
    private let source: Server
    private let destination: Server?
    private let options: CommonOptions

    static func open(_ batch: BatchSpec) async throws -> HTTPBackend {
        let curl = try Curl(batch, name: "http")
        let proxy = batch.settings["proxy"]?.string
        let source = try Site(batch.source, scratch: batch.scratch, proxy: proxy)
        let destination = try batch.destination.map { try Site($0, scratch: batch.scratch, proxy: proxy) }
        return HTTPBackend(
            curl: curl, source: Server(site: source, curl: curl),
            destination: destination.map { Server(site: $0, curl: curl) }, options: batch.common)
    }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Listing(server: source, depth: options.depth, report: report).run(element.source)
    }

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let destination else { throw BackendFailure(.invalid, "a copy needs a destination site") }
        try await copying(element, report).run(
            .remote(source, try .checked(element.source)), to: .remote(destination, try target(element)))
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await copying(element, report).run(
            .remote(source, try .checked(element.source)), to: .local(try LocalFile(element.destination ?? "")))
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await copying(element, report).run(
            .local(try LocalFile(element.source)), to: .remote(source, try target(element)))
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

    private func copying(_ element: ElementSpec, _ report: ElementReport) -> Copying {
        Copying(curl: curl, options: options, element: element, report: report)
    }

    private func target(_ element: ElementSpec) throws -> Location {
        let location = try Location.checked(element.destination ?? "")
        if location.isRoot || location.saysDirectory {
            throw BackendFailure(.invalid, "\(element.destination ?? "") names a directory, not a file")
        }
        return location
    }
}
