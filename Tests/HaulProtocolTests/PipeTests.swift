import Foundation
import HaulProtocol
import Testing

/// The two ends of a pipe.
@Suite(.timeLimit(.minutes(5))) struct PipeTests {
    private func pipe() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(Foundation.pipe(&ends) == 0)
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
}
