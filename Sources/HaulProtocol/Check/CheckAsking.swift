import Foundation
import HaulModel

/// A getting backend that is asked about one source, by itself.
actor CheckAsking {
    private static let id = "a"
    private let pipe: String
    private var run: BackendRun?
    private var answers: [SourceAnswer] = []
    private var waiting: CheckedContinuation<SourceAnswer?, Never>?
    private var result: ElementResult?

    private init(pipe: String) { self.pipe = pipe }

    static func start(_ site: CheckSite, _ name: String) async throws -> CheckAsking {
        let asking = CheckAsking(pipe: try site.makePipe())
        let run = try await site.start(site.batch(.get, [:])) {
            await asking.take($0)
        }
        await run.add(ElementSpec(id: id, source: site.path(name), partSeed: "check.\(name)", pipe: asking.pipe))
        await asking.hold(run)
        return asking
    }

    /// - Throws: Where the element ended instead.
    func ask(_ question: SourceQuestion) async throws -> SourceAnswer {
        guard let run, result == nil, await run.ask(Self.id, question) else { throw ended }
        if !answers.isEmpty { return answers.removeFirst() }
        guard result == nil, let answer = await withCheckedContinuation({ waiting = $0 }) else { throw ended }
        return answer
    }

    /// Asks for bytes, takes them out of the pipe, and closes it once it has had `take` of them.
    func read(_ from: Int, _ to: Int, take: Int) async throws -> (SourceAnswer, Data) {
        let descriptor = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        // Held until the answer is there: before the source has come to write the pipe would be at its end.
        let writing = open(pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0, writing >= 0 else { throw CheckFailure("\(pipe) cannot be opened") }
        // A pipe keeps what nobody took while anyone has it open: also a process that is about to start another program.
        var waste = [UInt8](repeating: 0, count: 1 << 16)
        while Foundation.read(descriptor, &waste, waste.count) > 0 {}
        let reader = PipeReader(descriptor: descriptor)
        defer { reader.close() }
        async let answered = {
            defer { close(writing) }
            return try await ask(.read(from: from, to: to))
        }()
        var data = Data()
        while data.count < take, let piece = await reader.read(upTo: min(1 << 16, take - data.count)) { data += piece }
        if data.count >= take { reader.close() }
        return (try await answered, data)
    }

    /// Tells it that nothing more is asked.
    @discardableResult
    func end() async -> ElementResult? {
        _ = await run?.ask(Self.id, .end)
        await run?.finish()
        await run?.wait()
        run = nil
        unlink(pipe)
        return result
    }

    private var ended: CheckFailure { CheckFailure("the source ended: \(result?.reason ?? "without a reason")") }

    private func hold(_ run: BackendRun) { self.run = run }

    private func take(_ event: BackendEvent) {
        switch event {
        case .answer(_, let answer):
            if let waiting {
                waiting.resume(returning: answer)
                self.waiting = nil
            } else {
                answers.append(answer)
            }
        case .result(_, let result):
            self.result = result
            waiting?.resume(returning: nil)
            waiting = nil
        case .log, .progress, .entries, .ask: break
        }
    }
}
