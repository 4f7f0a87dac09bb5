import HaulModel
import HaulProtocol

extension RcloneBackend {
    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await FileCopying(
            element, options, report, from: RcloneEnd(element.source, source, abilities),
            to: LocalEnd(worker: element.destination ?? ""), movers: [.download]
        ).run()
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        let to = try RcloneEnd(target, source, abilities)
        switch try report.source(of: element) {
        case .file(let file):
            try await FileCopying(element, options, report, from: file, to: to, movers: [.upload]).run()
        case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: to).run()
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await body(RcloneEnd(element.source, source, abilities, isServed: true))
    }

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination, let destination, let destinationAbilities else {
            throw BackendFailure(.invalid, "a copy needs a destination")
        }
        try await FileCopying(
            element, options, report, from: RcloneEnd(element.source, source, abilities),
            to: RcloneEnd(target, destination, destinationAbilities), movers: [.between]
        ).run()
    }
}
