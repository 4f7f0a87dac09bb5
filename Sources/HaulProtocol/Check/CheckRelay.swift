import Foundation
import HaulModel

/// One element between a getting and a putting backend, as the worker has it: questions and answers pass through here.
actor CheckRelay {
    /// What came of it.
    struct Outcome: Sendable {
        /// Of the put.
        var result: ElementResult?
        var source: ElementResult?
        var questions: [SourceQuestion] = []
        var log = ""

        var ranges: [(from: Int, to: Int)] {
            questions.compactMap { if case .read(let from, let to) = $0 { (from, to) } else { nil } }
        }

        func ok(bytes: Int) throws {
            guard let result, result.isOK else {
                throw CheckFailure("the put: \(result?.reason ?? "no result"); the get: \(source?.reason ?? "ok")")
            }
            guard let source, source.isOK else { throw CheckFailure("the get: \(source?.reason ?? "no result")") }
            if result.transferred != bytes {
                throw CheckFailure("the put says that \(result.transferred) bytes went, not \(bytes)")
            }
        }
    }

    private static let id = "s"
    private var outcome = Outcome()
    private var isAsking = false
    private var get: BackendRun?
    private var put: BackendRun?
    private let killAt: Int
    private let cancelAt: Int
    /// What happens once the first bytes are there.
    private var meanwhile: (@Sendable () async -> Void)?

    private init(killAt: Int, cancelAt: Int, meanwhile: (@Sendable () async -> Void)?) {
        (self.killAt, self.cancelAt, self.meanwhile) = (killAt, cancelAt, meanwhile)
    }

    /// - Parameters:
    ///   - other: Where the destination is; nil: where the source is.
    ///   - killAt: Kills the put once it says that so many bytes are there.
    ///   - cancelAt: Cancels both for good once the put says that so many bytes are there.
    ///   - meanwhile: Done once the put says that some are there.
    static func run(
        _ site: CheckSite, _ from: String, _ to: String, at other: CheckSite? = nil,
        _ options: [String: JSONValue] = [:], attempt: Int = 1, killAt: Int = .max,
        cancelAt: Int = .max, meanwhile: (@Sendable () async -> Void)? = nil
    ) async throws -> Outcome {
        let other = other ?? site
        let pipe = try site.makePipe()
        defer { unlink(pipe) }
        let relay = CheckRelay(killAt: killAt, cancelAt: cancelAt, meanwhile: meanwhile)
        let put = try await other.start(other.batch(.put, options)) {
            await relay.takeFromPut($0)
        }
        let get: BackendRun
        do {
            get = try await site.start(site.batch(.get, options)) {
                await relay.takeFromGet($0)
            }
        } catch {
            await put.terminate(reason: "the get did not start")
            throw error
        }
        await relay.hold(get, put)
        let element = ElementSpec(
            id: id, source: site.path(from), destination: nil, attempt: attempt, partSeed: "check.\(to)", pipe: pipe)
        await get.add(element)
        var target = element
        target.destination = other.path(to)
        await put.add(target)
        await put.finish()
        await put.wait()
        await get.finish()
        // Its last word was said, or it waits for a pipe that nobody opens any more.
        await relay.settle(pipe)
        await get.wait()
        await relay.hold(nil, nil)
        return await relay.outcome
    }

    private func hold(_ get: BackendRun?, _ put: BackendRun?) { (self.get, self.put) = (get, put) }

    private func takeFromPut(_ event: BackendEvent) async {
        switch event {
        case .log(_, let text): outcome.log += text + "\n"
        case .progress(_, let progress):
            if progress.transferred >= killAt, let put { kill(-put.pid, SIGKILL) }
            if progress.transferred >= cancelAt {
                await put?.cancel(Self.id)
                await get?.cancel(Self.id)
            }
            if progress.transferred > 0, let work = meanwhile {
                meanwhile = nil
                await work()
            }
        case .entries, .answer: break
        case .ask(_, let question):
            outcome.questions.append(question)
            isAsking = true
            if await get?.ask(Self.id, question) != true {
                isAsking = false
                let failure = outcome.source?.reason ?? "the get has ended"
                await put?.answer(Self.id, .failed(BackendFailure(.backend, failure)))
            }
        case .result(_, let result):
            outcome.result = result
            if isAsking { await get?.cancel(Self.id) } else { _ = await get?.ask(Self.id, .end) }
        }
    }

    private func takeFromGet(_ event: BackendEvent) async {
        switch event {
        case .answer(_, let answer):
            isAsking = false
            await put?.answer(Self.id, answer)
        case .result(_, let result):
            outcome.source = result
            guard outcome.result == nil, isAsking else { return }
            isAsking = false
            await put?.answer(Self.id, .failed(BackendFailure(.backend, result.reason ?? "the get ended too early")))
        case .log, .progress, .entries, .ask: break
        }
    }

    private func settle(_ pipe: String) {
        guard outcome.source == nil else { return }
        let descriptor = open(pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        if descriptor >= 0 { close(descriptor) }
    }
}

extension CheckSite {
    /// A named pipe in the scratch folder.
    func makePipe() throws -> String {
        let pipe = "\(scratch)/pipe-\(UInt32.random(in: 0 ... .max))"
        guard mkfifo(pipe, 0o600) == 0 else { throw CheckFailure("\(pipe) cannot be made") }
        return pipe
    }
}
