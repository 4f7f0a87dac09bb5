import HaulModel

/// A failure while a file was written, with what is left of it.
struct Trouble: Error {
    enum Remains: Sendable {
        /// Nothing of ours.
        case nothing
        /// Bytes that nobody goes on from.
        case waste
        /// A part that the next attempt goes on from.
        case part
    }

    var cause: any Error
    var remains: Remains

    init(_ cause: any Error, _ remains: Remains) {
        let known = cause as? CopyWriteFailure
        self.cause = cause
        self.remains = known?.wroteNothing ?? false ? .nothing : remains
    }
}

/// The source is not what it was: its part has a name that no later attempt looks for.
struct SourceChanged: Error {
    let failure: BackendFailure
}

extension FileCopying {
    /// Runs `body`; where it fails or is cancelled, removes what was written, unless a later attempt goes on from it.
    func cleaningUp<Value: Sendable>(
        _ move: CopyMove<Source, Target>, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            let trouble = error as? Trouble
            let cause = trouble?.cause ?? error
            switch trouble?.remains ?? usual(move) {
            case .nothing: break
            case .waste: await remove(move.target)
            case .part: if isFinal(cause) { await remove(move.target) }
            }
            throw Self.plain(cause)
        }
    }

    /// What is left by a writer that failed.
    func usual(_ move: CopyMove<Source, Target>) -> Trouble.Remains {
        let traits = move.target.traits
        switch traits.publication {
        case .whole: return .nothing
        case .inPlace: return .waste
        case .rename:
            let source = move.source.traits
            return traits.keepsParts && !source.isStream && move.facts.modified != nil ? .part : .waste
        }
    }

    private func isFinal(_ error: any Error) -> Bool {
        if Task.isCancelled || report.isCancelled || element.last || error is SourceChanged { return true }
        return (Self.plain(error) as? BackendFailure)?.errorClass.isPermanent ?? false
    }

    /// In a task of its own: what cancels the copy must not keep its remains from being removed. Not for long: an end
    /// that hangs keeps them, not the element.
    private func remove(_ end: Target) async {
        await Task { try? await Abandonable.run(limit: .seconds(3)) { try await end.discard() } }.value
    }

    private static func plain(_ error: any Error) -> any Error {
        switch error {
        case let failure as CopyWriteFailure: failure.failure
        case let changed as SourceChanged: changed.failure
        case is CopyNotResumable: BackendFailure(.interrupted, "the source cannot be read from the middle")
        default: error
        }
    }
}
