import HaulCurl
import HaulModel
import HaulProtocol

extension HTTPBackend {
    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let destination else { throw BackendFailure(.invalid, "a copy needs a destination site") }
        try await guessing(try target(element, at: destination)) { target in
            var source = try from(element)
            let isWanted = try await target.isMissing()
            // A server that copies by itself is asked for the content only where that costs it less.
            let passes =
                !self.source.copies(to: destination)
                || target.whole != nil && destination.wholePuts.areKnown(in: target.location.parent)
            source.look = look(element, isWanted: isWanted && passes)
            try await FileCopying(
                element, options, report, from: source, to: target, movers: [.withinServer, .throughWorker]
            ).run()
        }
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
        var target = try target(element, at: source)
        if element.pipe != nil {
            // It comes once, as it comes, and may end before its time.
            target.whole = nil
            target.mayGuess = false
        }
        try await guessing(target) { target in
            _ = try await target.isMissing()
            switch try report.source(of: element) {
            case .file(let file):
                try await FileCopying(element, options, report, from: file, to: target, movers: [.smallUpload]).run()
            case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: target).run()
            }
        }
    }

    /// Runs a copy; once more where it was told that nothing is at its target, which a server then refused to overwrite.
    private func guessing(_ target: HTTPEnd, _ body: (HTTPEnd) async throws -> Void) async throws {
        // Who moves a large file asks when it is through, which is nothing to wait for.
        guard target.whole != nil else { return try await trying(target, body) }
        try await target.server.lookout.during(target.server) { try await trying(target, body) }
    }

    private func trying(_ target: HTTPEnd, _ body: (HTTPEnd) async throws -> Void) async throws {
        do {
            try await body(target)
        } catch let failure as BackendFailure where failure.errorClass == .exists && target.isGuess {
            var target = target.anew
            target.mayGuess = false
            try await body(target)
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

    private func target(_ element: ElementSpec, at server: Server) throws -> HTTPEnd {
        let location = try Location.checked(element.destination ?? "")
        if location.isRoot || location.saysDirectory {
            throw BackendFailure(.invalid, "\(element.destination ?? "") names a directory, not a file")
        }
        var target = HTTPEnd(server: server, location: location)
        // What is to be compared by its content is so before it has its final name.
        if options.verify != .checksum, element.checksum == nil, element.size ?? 0 <= HTTPEnd.wantedAtOnce {
            target.whole = HTTPEnd.Whole(seed: element.partSeed, bandwidth: options.bandwidth)
        }
        return target
    }
}
