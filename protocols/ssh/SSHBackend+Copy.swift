import Foundation
import HaulModel
import HaulProtocol

extension SSHBackend {
    /// Files past this are worth a connection of their own, where several move at a time.
    private static let large = 16 << 20

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination, let destination else {
            throw BackendFailure(.invalid, "a copy needs a destination")
        }
        let isLarge = (element.size ?? 0) > Self.large
        if destination === source {
            // One connection has both ends: the server may copy within itself.
            return try await atSource(large: isLarge) { place in
                let (source, target) = (place.absolute(element.source), place.absolute(target))
                try await transfer(element, report, source, place, target, place)
            }
        }
        try await atSource(large: isLarge) { from in
            try await Self.at(destination, large: isLarge) { to in
                try await transfer(element, report, from.absolute(element.source), from, to.absolute(target), to)
            }
        }
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        try await atSource(large: (element.size ?? 0) > Self.large) { from in
            try await transfer(element, report, from.absolute(element.source), from, target, local)
        }
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        try await atSource(large: (element.size ?? 0) > Self.large) { to in
            try await transfer(element, report, element.source, local, to.absolute(target), to)
        }
    }

    private func transfer(
        _ element: ElementSpec, _ report: ElementReport, _ source: String, _ from: some Place, _ target: String,
        _ to: some Place
    ) async throws {
        let transfer = FileTransfer(
            element: element, options: options, report: report, source: source, from: from, target: target, to: to)
        try await transfer.run()
    }
}
