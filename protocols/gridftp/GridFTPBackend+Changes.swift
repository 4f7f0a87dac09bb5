import HaulModel
import HaulProtocol

/// REMOVE, RENAME and MKDIR: look, decide by the kit's rules, one command.
extension GridFTPBackend {
    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try await source.server.path(element.source)
        if path.isRoot { throw BackendFailure(.permission, "\(element.source) is the server's root") }
        let found = try await source.lookout.look(path, .now)
        // A link that leads nowhere is not told, and is there all the same.
        if found == nil, !path.saysDirectory, try await delete("DELE", path, element) {
            return report.log("removed \(element.source), which led nowhere")
        }
        switch ChangePlan.remove(element.source, found: found?.facts(follow: false), attempt: element.attempt) {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            let verb = path.saysDirectory ? "RMD" : "DELE"
            guard try await delete(verb, path, element) else {
                throw BackendFailure(.notFound, "\(element.source) went away meanwhile")
            }
            if path.saysDirectory {
                source.directories.forget()
                source.lookout.forget()
            }
            report.log("removed \(element.source)")
        }
    }

    /// - Returns: False where there is nothing.
    private func delete(_ verb: String, _ path: RemotePath, _ element: ElementSpec) async throws -> Bool {
        let reply = try await source.change(["\(verb) \(path.absolute)"], of: path)[0]
        if reply.isSuccess { return true }
        let failure = ReplyTable.failure(reply, "cannot remove \(element.source)")
        if failure.errorClass == .notFound { return false }
        throw failure
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try await source.server.path(element.source)
        let found = try await source.lookout.look(path, .now)
        let plan = ChangePlan.mkdir(
            element.source, found: found?.facts(follow: true), parents: options.parents, attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            if options.parents {
                try await source.makeDirectories(path)
            } else {
                let reply = try await source.change(["MKD \(path.absolute)"], of: path)[0]
                guard reply.isSuccess else { throw ReplyTable.failure(reply, "cannot make \(element.source)") }
            }
            report.log("made \(element.source)")
        }
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = element.destination ?? ""
        let (from, to) = (try await source.server.path(element.source), try await source.server.path(target))
        let here = try await source.lookout.look(from, .now)
        let there = try await source.lookout.look(to, .now)
        let plan = ChangePlan.rename(
            from: element.source, to: target, source: here?.facts(follow: false),
            destination: there?.facts(follow: false), overwrite: options.overwrite, attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go(let replace):
            if from == to { throw BackendFailure(.invalid, "\(element.source) and \(target) are one and the same") }
            let isOneFile = try await areOneFile(from, here, to, there)
            if options.parents, !to.isRoot { try await source.makeDirectories(to.parent) }
            try await move(from, to, replace: replace, target)
            if here?.kind == .directory {
                source.directories.forget()
                source.lookout.forget()
            }
            // rename(2) of two names of one file does nothing, and says that it was done.
            if isOneFile, try await source.lookout.look(from, .now) != nil {
                _ = try await delete("DELE", from, element)
            }
            report.log("renamed \(element.source) to \(target)")
        }
    }

    /// Whether both are names of one file.
    /// - Throws: ``BackendFailure`` (`invalid`) where they are one name in two spellings.
    private func areOneFile(
        _ from: RemotePath, _ here: FactLine?, _ to: RemotePath, _ there: FactLine?
    ) async throws -> Bool {
        guard let one = here?.unique, one == there?.unique, here?.isLink == false, there?.isLink == false else {
            return false
        }
        if from.name.utf8.elementsEqual(to.name.utf8) {
            let (left, right) = (try await source.server.look(from.parent), try await source.server.look(to.parent))
            if let unique = left?.unique, unique == right?.unique {
                throw BackendFailure(.invalid, "\(from.shown) and \(to.shown) are one and the same")
            }
        }
        return true
    }

    private func move(_ from: RemotePath, _ to: RemotePath, replace: Bool, _ shown: String) async throws {
        let replies = try await source.change(["RNFR \(from.absolute)", "RNTO \(to.absolute)"], of: from, to)
        if replies[1].isSuccess { return }
        let said = replies[0].code < 400 ? replies[1] : replies[0]
        let failure = ReplyTable.failure(said, "cannot rename \(from.shown) to \(shown)")
        let isMissing = failure.errorClass == .notFound && !options.parents
        throw isMissing ? BackendFailure(.notFound, failure.reason + " (option parents makes directories)") : failure
    }
}
