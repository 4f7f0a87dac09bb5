import Foundation
import Testing

@testable import HaulProtocol

/// The two ends of a pipe.
@Suite(.timeLimit(.minutes(5))) struct PipeTests {
    private func pipe() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(Foundation.pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// What several tasks post goes out whole and, of each, in order, however much is joined on the way.
    @Test(arguments: [false, true]) func whatIsPostedStaysInOrder(onLoop: Bool) async throws {
        let ends = try pipe()
        let loop = onLoop ? EventLoop.shared : nil
        let (reader, writer) = (
            PipeReader(descriptor: ends.reader, on: loop), PipeWriter(descriptor: ends.writer, on: loop)
        )
        async let received = {
            var all = Data()
            while let data = await reader.read() { all += data }
            return String(decoding: all, as: UTF8.self)
        }()
        await withTaskGroup { group in
            for task in 0..<4 {
                group.addTask {
                    for number in 0..<2000 {
                        if number % 500 == 499 {
                            _ = await writer.write(Data("\(task) \(number)\n".utf8))
                        } else {
                            writer.post(
                                Data("\(task) ".utf8), Data("\(number)\n".utf8))
                        }
                    }
                    // Longer than what is joined, and than a pipe.
                    writer.post(Data(String(repeating: "x", count: 300_000).utf8), Data("\n".utf8))
                }
            }
        }
        writer.finish()
        let lines = await received.split(separator: "\n")
        #expect(lines.count == 4 * 2001)
        #expect(lines.filter { $0.first == "x" }.map(\.count) == Array(repeating: 300_000, count: 4))
        for task in 0..<4 {
            let mine = lines.filter { $0.hasPrefix("\(task) ") }.map { Int($0.dropFirst(2)) }
            #expect(mine == Array(0..<2000))
        }
    }

    @Test func whatNobodyReadsIsToldOnce() async throws {
        signal(SIGPIPE, SIG_IGN)
        let ends = try pipe()
        let writer = PipeWriter(descriptor: ends.writer)
        writer.post(Data("a".utf8))
        close(ends.reader)
        var isTaken = true
        while isTaken { isTaken = await writer.write(Data(repeating: 0, count: 1 << 16)) }
        writer.post(Data("b".utf8))
        #expect(await writer.write(Data("c".utf8)) == false)
    }

    // MARK: Within the kernel

    private enum Way: CaseIterable { case pipeToPipe, socketToPipe, pipeToSocket, fileToPipe }

    private func sockets() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    private static let content = Data((0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 11)) })

    private func file(_ content: Data) throws -> Descriptor {
        let path = NSTemporaryDirectory() + "haul-pipe-\(UUID().uuidString)"
        try content.write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        return try Descriptor(open(path, O_RDONLY | O_CLOEXEC), path)
    }

    /// Every byte once and in order, between what others write into the same pipe.
    @Test(arguments: Way.allCases) private func movesWhatIsThere(_ way: Way) async throws {
        let from = way == .socketToPipe ? try sockets() : try pipe()
        let to = way == .pipeToSocket ? try sockets() : try pipe()
        let (source, target) = (PipeWriter(descriptor: from.writer), PipeReader(descriptor: to.reader))
        let (reader, writer) = (PipeReader(descriptor: from.reader), PipeWriter(descriptor: to.writer))
        async let received = {
            var all = Data()
            while let data = await target.read(upTo: 100_000) { all += data }
            return all
        }()
        if way == .fileToPipe {
            let file = try file(Self.content)
            #expect(await writer.move(1_000_000, from: file, at: 0) == .all)
            #expect(await writer.move(2_000_001, from: file, at: 1_000_000) == .all)
            // There is no more of it.
            #expect(await writer.move(10, from: file, at: 3_000_001) == .stopped(0, code: 0))
        } else {
            let feeding = Task {
                let isTaken = await source.write(Self.content)
                source.close()
                return isTaken
            }
            var left = Self.content.count
            while case let count = await reader.there(), count > 0 {
                #expect(await writer.move(count, from: reader) == .all)
                left -= count
            }
            #expect(left == 0)
            #expect(await feeding.value)
        }
        writer.finish()
        #expect(await received == Self.content)
    }

    /// What was promised arrives behind its head, also where who promised it closes the source and does not wait.
    @Test(arguments: [false, true]) func whatIsMovedIsNotLost(isCancelled: Bool) async throws {
        let (from, to) = (try pipe(), try pipe())
        let (reader, writer) = (PipeReader(descriptor: from.reader), PipeWriter(descriptor: to.writer))
        let target = PipeReader(descriptor: to.reader)
        let source = PipeWriter(descriptor: from.writer)
        let content = Self.content.prefix(50_000)
        #expect(await source.write(Data(content)))
        #expect(await reader.there() == content.count)
        // Full: the rest of it, and what follows, wait.
        let before = Data(repeating: 0x2e, count: 200_000)
        writer.post(before)
        let moving = Task { await writer.move(content.count, from: reader, after: Data("head".utf8)) }
        if isCancelled {
            moving.cancel()
            #expect(await moving.value == .refused)
        }
        var all = Data()
        while all.count < 1000, let data = await target.read() { all += data }
        if isCancelled { reader.close() }
        while all.count < before.count + 4 + content.count, let data = await target.read() { all += data }
        #expect(all == before + Data("head".utf8) + content)
        if !isCancelled { #expect(await moving.value == .all) }
        reader.close()
        #expect(await writer.move(1, from: reader) == .stopped(0, code: 0))
        source.close()
        writer.close()
    }

    @Test func saysWhatCannotMove() async throws {
        signal(SIGPIPE, SIG_IGN)
        let to = try sockets()
        let writer = PipeWriter(descriptor: to.writer)
        // Neither is a pipe.
        #expect(await writer.move(10, from: try file(Self.content), at: 0) == .stopped(0, code: EINVAL))
        #expect(await writer.write(Data("a".utf8)))
        let from = try pipe()
        let reader = PipeReader(descriptor: from.reader)
        #expect(await PipeWriter(descriptor: from.writer).write(Data("b".utf8)))
        close(to.reader)
        #expect(await writer.move(1, from: reader) == .refused)
    }

    @Test func tellsTheEnd() async throws {
        let ends = try pipe()
        let reader = PipeReader(descriptor: ends.reader)
        let waiting = Task { await reader.there() }
        let writer = PipeWriter(descriptor: ends.writer)
        #expect(await writer.write(Data("abc".utf8)))
        #expect(await waiting.value == 3)
        #expect(await reader.there() == 3)
        #expect(await reader.read() == Data("abc".utf8))
        let last = Task { await reader.there() }
        writer.close()
        #expect(await last.value == 0)
        let open = try pipe()
        let closing = PipeReader(descriptor: open.reader)
        let nothing = Task { await closing.there() }
        closing.close()
        #expect(await nothing.value == 0)
        close(open.writer)
    }
}
