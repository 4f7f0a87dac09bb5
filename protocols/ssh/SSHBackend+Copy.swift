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
                try await FileCopying(
                    element, options, report, from: RemoteEnd(place, element.source, of: element),
                    to: RemoteEnd.target(place, target, of: element, report), movers: [RemoteEnd.within]
                ).run()
            }
        }
        try await atSource(large: isLarge) { from in
            try await Self.at(destination, large: isLarge) { to in
                try await FileCopying(
                    element, options, report, from: RemoteEnd(from, element.source, of: element),
                    to: RemoteEnd.target(to, target, of: element, report)
                ).run()
            }
        }
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try LocalEnd(worker: element.destination ?? "")
        try await atSource(large: (element.size ?? 0) > Self.large) { from in
            let source = try RemoteEnd(from, element.source, of: element)
            try await FileCopying(element, options, report, from: source, to: target).run()
        }
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        let source = try report.source(of: element)
        try await atSource(large: (element.size ?? 0) > Self.large) { to in
            let target = try await RemoteEnd.target(to, target, of: element, report)
            switch source {
            case .file(let file): try await FileCopying(element, options, report, from: file, to: target).run()
            case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: target).run()
            }
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await atSource(large: (element.size ?? 0) > Self.large) { from in
            try await body(RemoteEnd(from, element.source, of: element))
        }
    }
}
