import HaulModel
import HaulProtocol

extension XRootDBackend {
    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try LocalEnd(worker: element.destination ?? "")
        try await FileCopying(
            element, options, report, from: end(element.source, source), to: target, movers: [.download]
        ).run()
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        let to = try await end(target, source)
        switch try report.source(of: element) {
        case .file(let file):
            try await FileCopying(element, options, report, from: file, to: to, movers: [.upload]).run()
        case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: to).run()
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await body(end(element.source, source))
    }

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination, let destination else {
            throw BackendFailure(.invalid, "a copy needs a destination")
        }
        let from = try await end(element.source, source)
        let to = try await end(target, destination)
        var movers: [CopyMover<XRootDEnd, XRootDEnd>] = []
        switch moving.thirdParty {
        case .only:
            guard sharesCredentials else {
                throw BackendFailure(
                    .invalid,
                    "a copy from server to server would show both of them one credential, and those of "
                        + "\(source.pool.site.name) and \(destination.pool.site.name) differ: set third_party to first, "
                        + "which goes through the worker then, or give the sites the same credential")
            }
            movers = [.thirdParty(only: true)]
        // Each side's bytes then pass through an xrdcp of its own.
        case .first where !sharesCredentials:
            report.log("the sites' credentials differ, so through the worker")
        case .never where !sharesCredentials: break
        case .first:
            let can = from.abilities.thirdParty && to.abilities.thirdParty
            movers = (can ? [.thirdParty(only: false)] : []) + [.between]
        case .never: movers = [.between]
        }
        try await FileCopying(element, options, report, from: from, to: to, movers: movers).run()
    }

    private func end(_ path: String, _ files: RemoteFiles) async throws -> XRootDEnd {
        try await XRootDEnd(path, files, files.pool.abilities(files), moving)
    }
}
