import HaulCurl
import HaulModel
import HaulProtocol

/// REMOVE, RENAME and MKDIR: look, decide by the kit's rules, one request.
struct Change: Sendable {
    let server: Server
    let options: CommonOptions
    let element: ElementSpec
    let report: ElementReport

    func remove() async throws {
        let location = try Location.checked(element.source)
        if location.isRoot { throw BackendFailure(.permission, "\(element.source) is the site's root") }
        let removal = try Removal(location, at: server, element: element, report: report)
        if location.saysDirectory, element.attempt > 1 { try await removal.goOn() }
        let found = try await server.facts(location)
        guard try go(ChangePlan.remove(element.source, found: found, attempt: element.attempt)) != nil else { return }
        if found?.kind == .directory { try await removal.run() } else { try await server.delete(location) }
    }

    func rename() async throws {
        let source = try Location.checked(element.source)
        let target = try Location.checked(element.destination ?? "")
        async let there = server.facts(target)
        async let found = server.facts(source)
        let (facts, old) = try await (found, there)
        let plan = ChangePlan.rename(
            from: source.given, to: target.given, source: facts, destination: old, overwrite: options.overwrite,
            attempt: element.attempt)
        guard let replace = try go(plan) else { return }
        if target.segments == source.segments {
            throw BackendFailure(.invalid, "\(source.given) and \(target.given) are one and the same")
        }
        // A server that is asked to move a directory into itself may do its worst.
        if target.segments.count > source.segments.count, target.segments.starts(with: source.segments) {
            throw BackendFailure(.invalid, "\(target.given) is below \(source.given)")
        }
        try await server.prepareParent(of: target, make: options.parents)
        let moved = try await server.move(
            source, to: target, directory: facts?.kind == .directory, replace: replace)
        if !moved { throw BackendFailure(.invalid, "the server renames nothing (no MOVE)") }
    }

    func makeDirectory() async throws {
        let location = try Location.checked(element.source)
        let found = try await server.facts(location)
        let plan = ChangePlan.mkdir(
            element.source, found: found, parents: options.parents, attempt: element.attempt)
        guard try go(plan) != nil else { return }
        try await server.prepareParent(of: location, make: options.parents)
        try await server.makeDirectory(location)
    }

    /// Nil where nothing is left to do, else whether something gives way.
    private func go(_ plan: ChangePlan) throws -> Bool? {
        switch plan {
        case .go(let replace): return replace
        case .done(let log):
            report.log(log)
            return nil
        case .fail(let failure): throw failure
        }
    }
}
