import HaulModel

/// The elements of one backend process: up to `concurrency` run, the others wait, each gets one result.
actor BackendSession<B: Backend> {
    private struct Running {
        var task: Task<Void, Never>
        var report: ElementReport
        /// Takes what is asked about a streamed source.
        var questions: AsyncStream<SourceQuestion>.Continuation
    }

    /// A worker sends no more than `concurrency`; whoever sends without end is told so.
    private static var mostWaiting: Int { 100_000 }

    private let batch: BatchSpec
    private let writer: LineWriter
    private let opening: Task<B, any Error>
    private var waiting: [ElementSpec] = []
    private var running: [String: Running] = [:]
    private var cancelled = false
    private var drained: [CheckedContinuation<Void, Never>] = []

    init(batch: BatchSpec, writer: LineWriter) {
        self.batch = batch
        self.writer = writer
        opening = Task { try await B.open(batch) }
    }

    func add(_ element: ElementSpec) async {
        let report = ElementReport(id: element.id, writer: writer)
        if running[element.id] != nil || waiting.contains(where: { $0.id == element.id }) {
            report.log("element \(element.id) was sent twice; once is enough")
        } else if waiting.count >= Self.mostWaiting {
            await end(report, .init(.busy, "the backend has \(waiting.count) elements waiting"))
        } else if operationLacksDestination(element) {
            await end(report, .init(.invalid, "\(batch.operation.rawValue) needs a destination"))
        } else {
            waiting.append(element)
            start()
        }
    }

    func cancel(_ id: String, keep: Bool) async {
        if let run = running[id] {
            run.report.cancel(keep: keep)
            run.task.cancel()
        } else if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
            await end(ElementReport(id: id, writer: writer), .init(.interrupted, "cancelled before it began"))
            finishIfIdle()
        }
    }

    /// A question about the source of a streamed `get`; of one that has ended it needs no answer.
    func ask(_ id: String, _ question: SourceQuestion) { running[id]?.questions.yield(question) }

    /// The answer to what a streamed `put` asked.
    func answer(_ id: String, _ answer: SourceAnswer) { running[id]?.report.link?.answered(answer) }

    func cancelAll() async {
        cancelled = true
        let ids = waiting.map(\.id) + running.keys
        for id in ids { await cancel(id, keep: true) }
        await drain()
        await writer.flush()
    }

    /// Returns once no element runs or waits and the backend is closed.
    func drain() async {
        if !waiting.isEmpty || !running.isEmpty {
            await withCheckedContinuation { drained.append($0) }
        }
        if !cancelled, let backend = try? await opening.value { await backend.close() }
    }

    private func operationLacksDestination(_ element: ElementSpec) -> Bool {
        batch.operation.hasDestination && element.destination == nil
            && !(batch.operation == .get && element.pipe != nil)
    }

    private func start() {
        while running.count < max(1, batch.concurrency), !waiting.isEmpty {
            let element = waiting.removeFirst()
            let pipe = batch.operation == .put ? element.pipe : nil
            let link = pipe.map { SourceLink(id: element.id, pipe: $0, writer: writer) }
            let report = ElementReport(id: element.id, writer: writer, link: link)
            let (questions, asked) = AsyncStream.makeStream(of: SourceQuestion.self)
            running[element.id] = Running(
                task: B.threads.run { await self.perform(element, report, questions) },
                report: report, questions: asked)
        }
    }

    private func perform(
        _ element: ElementSpec, _ report: ElementReport, _ questions: AsyncStream<SourceQuestion>
    ) async {
        let failure = await outcome(element, report, questions)
        report.link?.end()
        await end(report, failure)
        running[element.id] = nil
        start()
        finishIfIdle()
    }

    private nonisolated func outcome(
        _ element: ElementSpec, _ report: ElementReport, _ questions: AsyncStream<SourceQuestion>
    ) async -> BackendFailure? {
        report.begin()
        do {
            let backend = try await Abandonable.run { [opening] in try await opening.value }
            try await backend.perform(
                batch.operation, element, report, questions: questions, options: batch.common)
            return nil
        } catch {
            if report.isCancelled || error is CancellationError { return .init(.interrupted, "cancelled") }
            return error as? BackendFailure ?? .init(.unknown, "\(error)")
        }
    }

    private func end(_ report: ElementReport, _ failure: BackendFailure?) async {
        guard let (result, dropped) = report.end(failure: failure) else { return }
        if dropped > 0 {
            await writer.write(BackendLine.log(id: report.id, text: "\(dropped) texts of this log were dropped").line())
        }
        await writer.write(BackendLine.result(id: report.id, result).line())
    }

    private func finishIfIdle() {
        guard waiting.isEmpty, running.isEmpty else { return }
        drained.forEach { $0.resume() }
        drained = []
    }
}
