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
        let wanted = max(0, min(to, facts.size) - from)
        let sent = Sent(from: from, report: report, total: facts.size)
        // Also while the pipe takes nothing, or has not taken the first piece: from then on the worker sees who waits for whom.
        let telling = Task {
            while true {
                do { try await Task.sleep(for: Self.tellAgain) } catch { return }
                sent.add(0)
            }
        }
        defer { telling.cancel() }
        return try await withTaskCancellationHandler {
            do {
                if let reader = reader as? any PipedReader, wanted >= worthPiping {
                    moving: while sent.count < wanted {
                        switch try await reader.move(into: pipe) {
                        case .moved(let count): sent.add(count)
                        case .refused: return .sent(sent.count, nil)
                        case .none: break moving
                        }
                    }
                }
                while let data = try await reader.next() {
                    let piece = data.prefix(wanted - sent.count)
                    if !piece.isEmpty {
                        // Nobody reads on: enough was seen.
                        guard await pipe.write(piece) else { return .sent(sent.count, nil) }
                        sent.add(piece.count)
                    }
                    if piece.count < data.count { return try await tooMuch(facts, sent.count) }
                }
            } catch let failure as BackendFailure where SourceChanged.mayShow(as: failure.errorClass) {
                // Of a source that is another by now there is no more: whoever asked for it sees that.
                guard let now = try await end.facts(follow: follow), !now.isStill(facts) else { throw failure }
                return .sent(sent.count, now)
            }
            return .sent(sent.count, from + sent.count == facts.size ? try await reader.finish() : nil)
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

/// The bytes of an answer that went into the pipe, and who is told of them.
private final class Sent: Sendable {
    private let from: Int
    private let report: ElementReport
    private let total: Int
    private let sent = Mutex(0)

    init(from: Int, report: ElementReport, total: Int) {
        (self.from, self.report, self.total) = (from, report, total)
    }

    var count: Int { sent.withLock { $0 } }

    func add(_ count: Int) {
        let sent = sent.withLock { sent in
            sent += count
            return sent
        }
        report.progress(transferred: from + sent, total: total)
    }
}
