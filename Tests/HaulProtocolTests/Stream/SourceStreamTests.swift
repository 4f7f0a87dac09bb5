import Foundation
import HaulModel
import Synchronization
import Testing

@testable import HaulProtocol

/// The pipe between two backends, where one of them brings more than was asked for.
@Suite(.timeLimit(.minutes(5))) struct SourceStreamTests {
    private static let size = 100_000
    /// More than any pipe holds.
    private static let more = 5 << 20

    /// A folder with a pipe, and what was written for the worker.
    private final class Place: Sendable {
        let folder = NSTemporaryDirectory() + "haul-stream-\(UUID().uuidString)"
        let descriptor: Int32
        let writer: LineWriter

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            descriptor = open(folder + "/lines", O_RDWR | O_CREAT, 0o600)
            writer = LineWriter(descriptor: descriptor)
        }

        var pipe: String { folder + "/pipe" }

        func lines() async throws -> String {
            await writer.flush()
            return try String(contentsOfFile: folder + "/lines", encoding: .utf8)
        }

        deinit {
            close(descriptor)
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    /// Has more bytes by the time it is read than when it was looked at.
    private struct Growing: CopyEnd {
        var end: MemoryEnd
        /// It is said to be what it was.
        var isHidden = false
        var shown: String { end.shown }
        var traits: CopyTraits { end.traits }
        func facts(follow: Bool) async throws -> FileFacts? {
            guard isHidden else { return try await end.facts(follow: follow) }
            return FileFacts(kind: .file, size: SourceStreamTests.size, modified: 1000)
        }
        func sibling(_ name: String) -> Growing { Growing(end: end.sibling(name)) }
        func prepareParent(make: Bool, isMissing: Bool) async throws {}
        func publish(as target: Growing, replace: Bool) async throws -> Bool { false }
        func discard() async throws {}
        func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? { nil }
        func reader(_ order: ReadOrder) async throws -> any CopyReader {
            end.store.change { $0.files[end.path]?.data.append(Data(count: SourceStreamTests.more)) }
            var order = order
            order.facts = try await end.facts(follow: true) ?? order.facts
            order.to = order.facts.size
            return try await end.reader(order)
        }
        func writer(_ order: WriteOrder) async throws -> any CopyWriter { try await end.writer(order) }
    }

    /// - Parameter isHidden: Its site goes on to tell the size that it had.
    @Test(arguments: [false, true]) func aSourceThatGrew(isHidden: Bool) async throws {
        let place = try Place()
        let store = MemoryStore(["/s/a": String(repeating: "a", count: Self.size)])
        let pipe = PipeReader(descriptor: open(place.pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC))
        let reading = Task {
            var count = 0
            while let data = await pipe.read(upTo: 1 << 18) { count += data.count }
            return count
        }
        let (questions, asked) = AsyncStream.makeStream(of: SourceQuestion.self)
        for question in [SourceQuestion.facts, .read(from: 0, to: Self.size), .end] { asked.yield(question) }
        let element = ElementSpec(id: "e", source: "/s/a", destination: nil, pipe: place.pipe)
        try await SourceServing(
            end: Growing(end: MemoryEnd(store: store, path: "/s/a"), isHidden: isHidden), element: element,
            options: CommonOptions(),
            report: ElementReport(id: "e", writer: place.writer)
        ).run(questions)
        pipe.close()
        #expect(await reading.value <= Self.size)
        let lines = try await place.lines()
        if isHidden { return #expect(lines.contains(#""class":"checksum""#), "\(lines)") }
        #expect(lines.contains(#""bytes":\#(Self.size)"#), "\(lines)")
        // What it is by now tells that it is another.
        #expect(lines.contains(#""size":\#(Self.size + Self.more)"#), "\(lines)")
    }

    /// Whoever writes on where nothing is wanted any more is not waited for.
    @Test(arguments: [0, 1, size]) func aSourceThatBringsMore(_ size: Int) async throws {
        signal(SIGPIPE, SIG_IGN)
        let place = try Place()
        let link = SourceLink(id: "e", pipe: place.pipe, writer: place.writer)
        let reader = AskedReader(link, ReadOrder(facts: FileFacts(kind: .file, size: size)))
        let source = Task {
            let descriptor = try await BlockingQueue(label: "test.pipe").run { open(place.pipe, O_WRONLY | O_CLOEXEC) }
            _ = await PipeWriter(descriptor: descriptor).write(Data(count: Self.more))
            link.answered(.sent(Self.more, nil))
        }
        let count = Mutex(0)
        await #expect {
            try await Abandonable.run(limit: .seconds(30)) {
                while let data = try await reader.next() { count.withLock { $0 += data.count } }
            }
        } throws: {
            ($0 as? BackendFailure)?.errorClass == .interrupted
        }
        #expect(count.withLock { $0 } == size)
        try await source.value
    }
}
