import HaulModel

/// A failure while a file was written, with what is left of it.
struct Trouble: Error {
    enum Remains: Sendable {
        /// Nothing of ours.
        case nothing
        /// Bytes that nobody goes on from. Under a final name that is written in place they may still be those of before.
        case waste
        /// A file that is known to be wrong.
        case wrong
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

    /// What a reader says that does not find what was looked at: only a look tells whether that is why.
    static func mayShow(as errorClass: ErrorClass) -> Bool { [.interrupted, .busy, .invalid].contains(errorClass) }

    static func gone(_ shown: String) -> Self {
        SourceChanged(failure: BackendFailure(.busy, "\(shown) was removed while it was copied"))
    }

    static func other(_ shown: String) -> Self {
        SourceChanged(failure: BackendFailure(.busy, "\(shown) was changed while it was copied"))
    }
}

extension FileCopying {
    /// Runs `body`; where it fails or is cancelled, removes what was written, unless a later attempt goes on from it.
    /// - Parameter old: What stood under the name before.
    func cleaningUp<Value: Sendable>(
        _ move: CopyMove<Source, Target>, old: FileFacts? = nil, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            let trouble = error as? Trouble
            let cause = await explained(trouble?.cause ?? error, move)
            var plain = Self.plain(cause)
            let isInTheWay =
                switch trouble?.remains ?? usual(move) {
                case .nothing: false
                case .waste, .wrong: true
                case .part: isFinal(cause)
                }
            if isInTheWay {
                let kept = if case .wrong? = trouble?.remains { nil as FileFacts? } else { old }
                if let why = await remove(move.target, unless: kept) {
                    report.log("\(move.target.shown) could not be removed: \(why)")
                    if var failure = plain as? BackendFailure {
                        failure.reason += "; \(move.target.shown) could not be removed"
                        plain = failure
                    }
                }
            }
            throw plain
        }
    }

    /// Removes what an earlier attempt left, where this one ends before it would have gone on from it, and no other comes.
    /// - Parameter error: Why it ends; nil: there is nothing to copy any more.
    func forgetPart(of facts: FileFacts?, after error: (any Error)?) async {
        guard element.attempt > 1, let facts, facts.kind == .file, target.traits.keepsParts,
            target.publication(of: facts) == .rename, error.map(isFinal) ?? true,
            let part = try? part(of: facts)
        else { return }
        if let why = await remove(part, unless: nil) { report.log("\(part.shown) could not be removed: \(why)") }
    }

    /// What is left where all was written and then found wrong, or where that could not be found out.
    func afterChecking(
        _ move: CopyMove<Source, Target>, _ error: any Error, else remains: Trouble.Remains
    ) -> Trouble.Remains {
        if move.publication == .rename { return remains }
        // It stands under its final name, whole. Compared it is by whoever tries again.
        let isWrong = error is SourceChanged || (error as? BackendFailure)?.errorClass == .checksum
        return isWrong ? .wrong : .nothing
    }

    /// What is left by a writer that failed.
    func usual(_ move: CopyMove<Source, Target>) -> Trouble.Remains {
        let traits = move.target.traits
        switch move.publication {
        case .whole: return .nothing
        case .inPlace: return .waste
        case .rename:
            let source = move.source.traits
            return traits.keepsParts && !source.isStream && move.facts.modified != nil ? .part : .waste
        }
    }

    /// A source that ended too early, or brought what was not looked for, may be another by now: then nobody goes on from what
    /// was written.
    private func explained(_ error: any Error, _ move: CopyMove<Source, Target>) async -> any Error {
        guard let errorClass = (Self.plain(error) as? BackendFailure)?.errorClass,
            SourceChanged.mayShow(as: errorClass), !move.source.traits.isStream, !Task.isCancelled, !report.isCancelled
        else { return error }
        do {
            // Where it cannot be looked at any more, what broke off is all that is known.
            let now = try await Abandonable.run(limit: .seconds(10)) { try await source.facts(follow: follow) }
            if let now, now.isStill(move.facts) { return error }
            // What failed at first may have been something else, too.
            report.log("\(Self.plain(error))")
            return now == nil ? SourceChanged.gone(source.shown) : .other(source.shown)
        } catch { return error }
    }

    private func isFinal(_ error: any Error) -> Bool {
        if report.isFinal(element) || error is SourceChanged { return true }
        return (Self.plain(error) as? BackendFailure)?.errorClass.isPermanent ?? false
    }

    /// In a task of its own: what cancels the copy must not keep its remains from being removed. Then it is not for long:
    /// an end that hangs keeps them, not the element.
    /// - Parameter old: Stays where it is still what is there: nothing was written then.
    /// - Returns: Why it could not be removed.
    private func remove(_ end: Target, unless old: FileFacts?) async -> String? {
        let limit = Task.isCancelled || report.isCancelled ? Duration.seconds(3) : .seconds(30)
        return await Task {
            do {
                try await Abandonable.run(limit: limit) {
                    if let old, let now = try await end.facts(follow: true), now == old { return }
                    try await end.discard()
                }
                return nil
            } catch {
                return "\(error)"
            }
        }.value
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
