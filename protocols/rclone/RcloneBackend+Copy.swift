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
        try await FileCopying(
            element, options, report, from: LocalEnd(worker: element.source),
            to: RcloneEnd(target, source, abilities), movers: [.upload]
        ).run()
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
