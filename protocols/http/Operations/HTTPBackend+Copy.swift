import HaulCurl
import HaulModel
import HaulProtocol

extension HTTPBackend {
    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let destination else { throw BackendFailure(.invalid, "a copy needs a destination site") }
        let target = HTTPEnd(server: destination, location: try target(element))
        var source = try from(element)
        let isWanted = try await target.isMissing()
        source.look = look(element, isWanted: isWanted && !self.source.copies(to: destination))
        try await FileCopying(
            element, options, report, from: source, to: target, movers: [.withinServer, .throughWorker]
        ).run()
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try LocalEnd(worker: element.destination ?? "")
        var source = try from(element)
        source.look = look(element, isWanted: try await target.facts(follow: true) == nil)
        try await FileCopying(
            element, options, report, from: source, to: target, movers: [.smallDownload]
        ).run()
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = HTTPEnd(server: source, location: try target(element))
        _ = try await target.isMissing()
        switch try report.source(of: element) {
        case .file(let file):
            try await FileCopying(element, options, report, from: file, to: target, movers: [.smallUpload]).run()
        case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: target).run()
        }
    }

    /// How to look at a source of which a listing has said something.
    private func look(_ element: ElementSpec, isWanted: Bool) -> HTTPEnd.Look {
        guard let size = element.size else { return .properties }
        guard isWanted, size <= HTTPEnd.wantedAtOnce, SmallFile.takes(size, at: options.bandwidth) else {
            return .listed(size)
        }
        return .content(size, bandwidth: options.bandwidth)
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
