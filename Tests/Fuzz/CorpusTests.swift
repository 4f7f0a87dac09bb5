import Foundation
import Testing

/// What was once worth keeping of `make fuzz` stays read, with nothing of libFuzzer.
@Suite(.timeLimit(.minutes(15)))
struct CorpusTests {
    /// Bytes to which an input is stretched, and seconds of this machine's time that it may take: what takes time by the
    /// square of its length takes minutes.
    private static let stretched = 32 << 10
    private static let limit = 5.0

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    private static func kept(_ parser: String) throws -> [(name: String, data: Data)] {
        let folder = folder.appending(path: parser).path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            (name, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        }
    }

    /// No folder without a parser, and no parser without one.
    @Test func allAreThere() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(folders) == Set(Parser.all.map(\.name)))
    }

    @Test(arguments: Parser.all.map(\.name))
    func kept(_ name: String) async throws {
        let parser = try #require(Parser.all.first { $0.name == name })
        for (file, data) in try Self.kept(name) {
            let failure = await Self.feed(parser, data).failure
            #expect(failure == nil, "\(name)/\(file)")
        }
        #expect(await Self.feed(parser, Data()).failure == nil)
    }

    /// The examples that people wrote, many times over, as a whole and in parts: time is as their length.
    @Test(arguments: Parser.all.map(\.name))
    func longOnes(_ name: String) async throws {
        let parser = try #require(Parser.all.first { $0.name == name })
        // Those that libFuzzer found are named by their hash.
        for (file, data) in try Self.kept(name) where file.utf8.count != 40 && !data.isEmpty {
            let (first, second) = (data.count / 3, data.count * 2 / 3)
            for middle in [0..<data.count, first..<data.count, first..<second, (data.count - 1)..<data.count] {
                let part = data[data.startIndex + middle.lowerBound..<data.startIndex + middle.upperBound]
                guard !part.isEmpty else { continue }
                let many = (0..<(Self.stretched / part.count)).reduce(into: Data()) { all, _ in all += part }
                let stretched = data.prefix(middle.lowerBound) + many + data.suffix(data.count - middle.upperBound)
                let (failure, seconds) = await Self.feed(parser, stretched)
                #expect(failure == nil, "\(name)/\(file) \(middle)")
                #expect(seconds < Self.limit, "\(name)/\(file) \(middle)")
            }
        }
    }

    /// On a thread of its own, whose time alone is counted: a parser may block.
    private static func feed(_ parser: Parser, _ data: Data) async -> (failure: String?, seconds: Double) {
        await withCheckedContinuation { continuation in
            Thread {
                var failure: String?
                let start = clock()
                do { try parser.feed(data) } catch { failure = "\(error)" }
                continuation.resume(returning: (failure, clock() - start))
            }.start()
        }
    }

    private static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
