import HaulModel

// What becomes of single elements.
extension BackendRun {
    /// Sends what the backend may have.
    func send() {
        while !hasEnded, !isTerminating, verdict == nil, sent.count < max(1, batch.concurrency),
            let element = waiting.popFirst()
        {
            // The source of a streamed element waits to be asked.
            sent[element.id] = Sent(
                progressed: ownTime(), isResting: element.pipe != nil && batch.operation == .get,
                isLast: element.last)
            if let line = try? BackendCommand.element(element).line() { child.input?.post(line) }
        }
        closeIfFinished()
    }

    /// Tells the backend that no more comes, once nothing is left to be said: until its last result an element may
    /// have to be cancelled, and what is not told of that is ended with all its neighbours.
    func closeIfFinished() {
        guard isFinishing, waiting.isEmpty, !hasEnded, sent.isEmpty || isTerminating else { return }
        child.input?.finish()
        if sent.isEmpty, idleSince == nil { idleSince = .now }
    }

    /// Cancels an element that was sent; `result` is what it gets where the backend does not answer, or answers with
    /// the cancellation that it was told of.
    /// - Parameter keep: Somebody may try again: what is there of a file stays for them.
    func endElement(_ id: String, as result: ElementResult, keep: Bool) {
        guard sent[id] != nil, sent[id]?.ending == nil else { return }
        sent[id]?.ending = (.now, result)
        if let line = try? BackendCommand.cancel(id: id, keep: keep).line() { child.input?.post(line) }
    }

    /// Gives an element that is never sent its result, without waiting: the event handler may be the caller.
    func drop(_ id: String, _ result: ElementResult) {
        unsent[id] = result
        Task { await settle(id, result) }
    }

    /// Gives an element its result, unless it has one.
    func settle(_ id: String, _ result: ElementResult) async {
        await deliver(.result(id: id, result))
    }

    /// Hands an event over, after those before it, if its element is still without a result.
    func deliver(_ event: BackendEvent) async {
        if !gate.enter() { await withCheckedContinuation { gate.wait($0) } }
        defer { gate.leave() }
        let id = event.id
        guard sent[id] != nil || unsent[id] != nil || waiting.contains(id) else { return }
        if case .result = event {
            sent[id] = nil
            unsent[id] = nil
            waiting.remove(id)
            finished.insert(id)
        }
        let began = ContinuousClock.now
        handing = began
        await handler(event)
        handing = nil
        active = .now
        paused += ContinuousClock.now - began
        if case .result = event { send() }
        restIfDone()
    }

    /// The time without that in which events were being handled: nothing is read then, and no element can show its progress.
    func ownTime(at now: ContinuousClock.Instant = .now) -> ContinuousClock.Instant { now - paused }

    /// Tells the log of every element that is running.
    func tellRunning(_ text: String) async {
        let text = redactor.redact(text)
        for id in sent.keys.sorted() { await deliver(.log(id: id, text: text)) }
    }
}
