import Foundation
import HaulModel
import Synchronization

/// Answers what a backend of another protocol asks about a source: one question after the other, until nothing more is
/// asked. What fails is an answer, too: the one who asked decides what becomes of the copy.
struct SourceServing: Sendable {
    let end: any CopyEnd
    let element: ElementSpec
    let options: CommonOptions
    let report: ElementReport

    /// How often it is looked whether the other side has opened the pipe, where it does so only after its question.
    private static let lookAgain = Duration.milliseconds(5)
    /// How often it is told how far it is: past the interval of which no line is dropped.
    private static let tellAgain = Duration.milliseconds(600)
    private static let files = BlockingQueue(label: "haul.stream.files")

    private var follow: Bool { options.symlinks == .follow }

    /// - Throws: `CancellationError` alone.
    func run(_ questions: AsyncStream<SourceQuestion>) async throws {
        var known: FileFacts?
        for await question in questions {
            if question == .end { return }
            do {
                if known == nil || question == .facts { known = try await facts() }
                await report.answer(try await answer(question, known))
            } catch is CopyNotResumable {
                await report.answer(.notResumable)
            } catch {
                try Task.checkCancellation()
                let failure = error as? BackendFailure ?? BackendFailure(.unknown, "\(error)")
                await report.answer(.failed(failure))
            }
        }
        try Task.checkCancellation()
    }

    /// What the file is. Whatever else can be no source is told here, where it is: the other side would take it for a failure
    /// of its own.
    private func facts() async throws -> FileFacts? {
        let facts = try await end.facts(follow: follow)
        let plan = CopyPlan.decide(
            source: facts, destination: nil, options: options, sourcePath: end.shown, destinationPath: "")
        if case .fail(let failure) = plan { throw failure }
        return facts
    }

    private func answer(_ question: SourceQuestion, _ facts: FileFacts?) async throws -> SourceAnswer {
        switch question {
        case .facts:
            return .facts(facts, checksums: end.traits.checksums.map(\.rawValue))
        case .checksum(let name):
            guard let algorithm = StreamHash.Algorithm(rawValue: name), let facts else { return .checksum(nil) }
            let order = ReadOrder(
                facts: facts, follow: follow, bandwidth: options.bandwidth, streams: options.streams, report: report)
            return .checksum(try await end.checksum(algorithm, order))
        case .read(let from, let to): return try await read(facts, from: from, to: to)
        case .end: return .sent(0, nil)
        }
    }

    private func read(_ facts: FileFacts?, from: Int, to: Int) async throws -> SourceAnswer {
        guard let facts else { throw BackendFailure(.notFound, "\(end.shown) does not exist") }
        let reader = try await end.reader(
            ReadOrder(
                facts: facts, from: from, to: min(to, facts.size), follow: follow, bandwidth: options.bandwidth,
                streams: options.streams, report: report))
        defer { reader.abandon() }
        let pipe = try await open()
        defer { pipe.close() }
        let told = Mutex(from)
        // Also while the pipe takes nothing, or has not taken the first piece: from then on the worker sees who waits for whom.
        let telling = Task {
            while true {
                do { try await Task.sleep(for: Self.tellAgain) } catch { return }
                report.progress(transferred: told.withLock { $0 }, total: facts.size)
            }
        }
        defer { telling.cancel() }
        let wanted = max(0, min(to, facts.size) - from)
        return try await withTaskCancellationHandler {
            var sent = 0
            do {
                while let data = try await reader.next() {
                    let piece = data.prefix(wanted - sent)
                    if !piece.isEmpty {
                        // Nobody reads on: enough was seen.
                        guard await pipe.write(piece) else { return .sent(sent, nil) }
                        sent += piece.count
                        told.withLock { $0 = from + sent }
                        report.progress(transferred: from + sent, total: facts.size)
                    }
                    if piece.count < data.count { return try await tooMuch(facts, sent) }
                }
            } catch let failure as BackendFailure where SourceChanged.mayShow(as: failure.errorClass) {
                // Of a source that is another by now there is no more: whoever asked for it sees that.
                guard let now = try await end.facts(follow: follow), !now.isStill(facts) else { throw failure }
                return .sent(sent, now)
            }
            return .sent(sent, from + sent == facts.size ? try await reader.finish() : nil)
        } onCancel: {
            reader.abandon()
            pipe.close()
        }
    }

    /// There is more than was wanted, which nobody takes: it grew, or never had the size that its site tells.
    private func tooMuch(_ facts: FileFacts, _ sent: Int) async throws -> SourceAnswer {
        let now = try await end.facts(follow: follow)
        guard now?.isStill(facts) == true else { return .sent(sent, now) }
        throw BackendFailure(.checksum, "\(end.shown) has more than the \(facts.size) bytes that its site tells")
    }

    private func open() async throws -> PipeWriter {
        guard let path = element.pipe else { throw BackendFailure(.backend, "a stream needs a pipe") }
        while true {
            try Task.checkCancellation()
            let (descriptor, code) = try await Self.files.run {
                (Foundation.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), errno)
            }
            if descriptor >= 0 { return PipeWriter(descriptor: descriptor) }
            guard code == ENXIO else {
                throw BackendFailure(.backend, "the pipe cannot be opened: \(String(cString: strerror(code)))")
            }
            try await Task.sleep(for: Self.lookAgain)
        }
    }
}
