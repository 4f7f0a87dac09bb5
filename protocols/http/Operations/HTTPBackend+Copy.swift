import HaulCurl
import HaulModel
import HaulProtocol

extension HTTPBackend {
    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let destination else { throw BackendFailure(.invalid, "a copy needs a destination site") }
        let target = HTTPEnd(server: destination, location: try target(element))
        try await FileCopying(
            element, options, report, from: try from(element), to: target, movers: [.withinServer, .throughSpool]
        ).run()
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try LocalEnd(worker: element.destination ?? "")
        try await FileCopying(
            element, options, report, from: try from(element), to: target, movers: [.smallDownload]
        ).run()
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = HTTPEnd(server: source, location: try target(element))
        switch try report.source(of: element) {
        case .file(let file):
            try await FileCopying(element, options, report, from: file, to: target, movers: [.smallUpload]).run()
        case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: target).run()
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await body(from(element))
    }

    private func from(_ element: ElementSpec) throws -> HTTPEnd {
        HTTPEnd(server: source, location: try .checked(element.source))
    }

    private func target(_ element: ElementSpec) throws -> Location {
        let location = try Location.checked(element.destination ?? "")
        if location.isRoot || location.saysDirectory {
            throw BackendFailure(.invalid, "\(element.destination ?? "") names a directory, not a file")
        }
        return location
    }
}
