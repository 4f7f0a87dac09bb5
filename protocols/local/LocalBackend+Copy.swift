import HaulModel
import HaulProtocol

extension LocalBackend {
    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await copying(
            element, report, from: path(element.source).end(),
            to: path(element.destination ?? "", in: otherRoots).end())
    }

    /// The destination is the worker's own (its spool), not confined to the roots.
    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await copying(
            element, report, from: path(element.source).end(), to: LocalEnd(worker: element.destination ?? ""))
    }

    /// The source is the worker's own.
    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try path(element.destination ?? "").end()
        switch try report.source(of: element) {
        case .file(let source): try await copying(element, report, from: source, to: target)
        case .asked(let source): try await FileCopying(element, options, report, from: source, to: target).run()
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await body(path(element.source).end())
    }

    private func copying(
        _ element: ElementSpec, _ report: ElementReport, from source: LocalEnd, to target: LocalEnd
    ) async throws {
        try await FileCopying(element, options, report, from: source, to: target, movers: [LocalEnd.kernel]).run()
    }
}

extension LocalPath: LocalWay {
    var mounts: Bool { root.mounts }

    func open(_ flags: Int32) throws -> Descriptor { try open(flags, links: true) }

    func directory(make: Bool) throws -> Descriptor { try place(parents: make).directory }

    /// As an end of a copy.
    func end() throws -> LocalEnd {
        if words.last == ".." { throw BackendFailure(.invalid, "\(shown) ends in ..") }
        return LocalEnd(shown, name: words.last.map(String.init), way: self)
    }
}
