import Foundation
import HaulModel
import Synchronization
import Testing

@testable import HaulProtocol

/// Copies whose bytes move from a file through the pipe between two backends, and are seen by neither.
@Suite(.timeLimit(.minutes(5))) struct PipedCopyTests {
    private static let size = 4_000_001
    private static let content = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 11)) })

    /// Both backends' sides in one process: what one says, the other hears.
    private final class Relay: Sendable {
        let folder = NSTemporaryDirectory() + "haul-piped-\(UUID().uuidString)"
        private let lines: (reader: PipeReader, writer: LineWriter)
        let link: SourceLink
        let questions: AsyncStream<SourceQuestion>
        private let asked: AsyncStream<SourceQuestion>.Continuation
        let asks = Mutex<[SourceQuestion]>([])

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try #require(mkfifo(folder + "/pipe", 0o600) == 0)
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            lines = (PipeReader(descriptor: ends[0]), LineWriter(descriptor: ends[1]))
            link = SourceLink(id: "e", pipe: folder + "/pipe", writer: lines.writer)
            (questions, asked) = AsyncStream.makeStream(of: SourceQuestion.self)
            try PipedCopyTests.content.write(to: URL(fileURLWithPath: source))
            Task { [weak self, reader = lines.reader] in
                var splitter = LineSplitter(limit: 1 << 20)
                while let data = await reader.read() {
                    splitter.add(data)
                    while case .line(let line)? = splitter.next() { self?.pass(try BackendLine(line: line)) }
                }
            }
        }

        // The lines' pipe stays: a backend ends where nobody reads what it says.
        deinit { try? FileManager.default.removeItem(atPath: folder) }

        var source: String { folder + "/source" }

        var report: ElementReport { ElementReport(id: "e", writer: lines.writer, link: link) }

        func element(_ source: String, _ destination: String?) -> ElementSpec {
            ElementSpec(id: "e", source: source, destination: destination, pipe: folder + "/pipe")
        }

        func end() { asked.yield(.end) }

        private func pass(_ line: BackendLine) {
            switch line {
            case .ask(_, let question):
                asks.withLock { $0.append(question) }
                asked.yield(question)
            case .answer(_, let answer): link.answered(answer)
            default: break
            }
        }
    }

    /// Where bytes arrive that come out of a pipe.
    private struct Taking: CopyEnd {
        var end: MemoryEnd
        let taken: Taken
        var shown: String { end.shown }
        var traits: CopyTraits { end.traits }
        func facts(follow: Bool) async throws -> FileFacts? { try await end.facts(follow: follow) }
        func sibling(_ name: String) -> Taking { Taking(end: end.sibling(name), taken: taken) }
        func prepareParent(make: Bool, isMissing: Bool) async throws {}
        func publish(as target: Taking, replace: Bool) async throws -> Bool {
            try await end.publish(as: target.end, replace: replace)
        }
        func discard() async throws { try await end.discard() }
        func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? { nil }
        func reader(_ order: ReadOrder) async throws -> any CopyReader { try await end.reader(order) }
        func writer(_ order: WriteOrder) async throws -> any CopyWriter {
            TakingWriter(writer: try await end.writer(order), taken: taken)
        }
    }

    private final class Taken: Sendable {
        let bytes = Mutex(0)
        /// Called before so many bytes are taken, once.
        let change: (at: Int, run: @Sendable () -> Void)

        init(at: Int = .max, _ change: @escaping @Sendable () -> Void = {}) { self.change = (at, change) }
    }

    private final class TakingWriter: PipedWriter {
        let writer: any CopyWriter
        let taken: Taken
        var existing: Int { writer.existing }

        init(writer: any CopyWriter, taken: Taken) { (self.writer, self.taken) = (writer, taken) }

        func cut(to size: Int) async throws { try await writer.cut(to: size) }
        func write(_ data: Data, at offset: Int) async throws { try await writer.write(data, at: offset) }
        func write(_ count: Int, from pipe: PipeReader, at offset: Int) async throws {
            let before = taken.bytes.withLock { bytes in
                defer { bytes += count }
                return bytes
            }
            if before <= taken.change.at, before + count > taken.change.at { taken.change.run() }
            var left = count
            while left > 0, let data = await pipe.read(upTo: left) {
                try await writer.write(data, at: offset + count - left)
                left -= data.count
            }
        }
        func finish(_ source: FileFacts) async throws -> Int? { try await writer.finish(source) }
        func abandon() { writer.abandon() }
    }

    private func copy(_ relay: Relay, to store: MemoryStore, _ taken: Taken, _ options: CommonOptions) async throws {
        let element = relay.element(relay.source, "/t/a")
        async let serving: Void = SourceServing(
            end: LocalEnd(worker: relay.source), element: element, options: options, report: relay.report
        ).run(relay.questions)
        let result: Result<Void, any Error>
        do {
            try await FileCopying(
                element, options, relay.report, from: AskedEnd(relay.source, link: relay.link),
                to: Taking(end: MemoryEnd(store: store, path: "/t/a"), taken: taken)
            ).run()
            result = .success(())
        } catch { result = .failure(error) }
        relay.end()
        try await serving
        try result.get()
    }

    @Test func movesUnseen() async throws {
        let (relay, store, taken) = (try Relay(), MemoryStore(), Taken())
        try await copy(relay, to: store, taken, CommonOptions())
        #expect(store.use { $0.files["/t/a"]?.data } == Self.content)
        #expect(taken.bytes.withLock { $0 } == Self.size)
        // What went by itself is looked at once more, when it is through.
        #expect(relay.asks.withLock { $0 }.filter { $0 == .facts }.count == 2)
    }

    /// Bytes of which a checksum is wanted, or that come slowly, pass through this process.
    @Test(arguments: ["verify", "bandwidth"]) func isSeenWhereItMustBe(option: String) async throws {
        let (relay, store, taken) = (try Relay(), MemoryStore(), Taken())
        var options = CommonOptions()
        if option == "verify" { options.verify = .checksum } else { options.bandwidth = 50_000_000 }
        try await copy(relay, to: store, taken, options)
        #expect(store.use { $0.files["/t/a"]?.data } == Self.content)
        #expect(taken.bytes.withLock { $0 } == 0)
    }

    /// A file's bytes are those that it has when they leave the pipe: one that changes by then is noticed, also where all of
    /// it was in the pipe already.
    @Test(arguments: [0, size - 1]) func noticesAChange(at place: Int) async throws {
        let (relay, store) = (try Relay(), MemoryStore())
        let taken = Taken(at: place) { [source = relay.source] in
            let file = open(source, O_WRONLY)
            _ = pwrite(file, "changed", 7, off_t(Self.size - 7))
            close(file)
        }
        await #expect {
            try await copy(relay, to: store, taken, CommonOptions())
        } throws: {
            ($0 as? BackendFailure)?.errorClass == .busy
        }
        #expect(taken.bytes.withLock { $0 } == Self.size)
        #expect(store.use { $0.files["/t/a"] } == nil)
    }

    /// One that becomes shorter ends where it ends.
    @Test func noticesACut() async throws {
        let (relay, store) = (try Relay(), MemoryStore())
        let taken = Taken(at: 0) { [source = relay.source] in truncate(source, off_t(Self.size - 1_500_000)) }
        await #expect {
            try await copy(relay, to: store, taken, CommonOptions())
        } throws: {
            ($0 as? BackendFailure)?.errorClass == .busy
        }
        #expect(store.use { $0.files["/t/a"] } == nil)
    }
}
