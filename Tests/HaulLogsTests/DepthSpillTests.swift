import Foundation
import HaulLogs
import Testing

struct DepthSpillTests {
    private let folder: LogFolder
    private let uid = LogFolder.uid(5)

    init() throws { folder = try LogFolder() }

    private func lines(_ spill: DepthSpill, _ depth: Int, limit: Int) async throws -> [String] {
        var result: [String] = []
        var offset = 0
        while true {
            let read = try await spill.read(depth, from: offset, limit: limit)
            result += read.lines.map { String(decoding: $0, as: UTF8.self) }
            offset = read.offset
            if read.isEnd { return result }
        }
    }

    @Test func linesAreSortedByDepthInTheirOrder() async throws {
        let store = try folder.store { $0.spillBuffer = 1000 }
        let spill = store.spill(uid)
        for number in 0..<3000 { try await spill.append(depth: number % 30, line: Array("line \(number)".utf8)) }
        #expect(try await !spill.isSealed())
        try await spill.seal()
        // Another process finds it.
        let later = try folder.store().spill(uid)
        #expect(try await later.isSealed())
        #expect(try await later.depths() == Array(0..<30))
        for depth in [0, 7, 29] {
            let expected = stride(from: depth, to: 3000, by: 30).map { "line \($0)" }
            #expect(try await lines(later, depth, limit: 7) == expected)
        }
        try await later.remove()
        #expect(try await !later.isSealed())
        #expect(try await later.depths().isEmpty)
        try await later.remove()
    }

    @Test func whatWasNotSealedBeginsAnew() async throws {
        let first = try folder.store { $0.spillBuffer = 10 }.spill(uid)
        for _ in 0..<10 { try await first.append(depth: 4, line: Array("old line".utf8)) }
        let second = try folder.store().spill(uid)
        #expect(try await !second.isSealed())
        try await second.append(depth: 2, line: Array("new".utf8))
        try await second.seal()
        #expect(try await second.depths() == [2])
        #expect(try await lines(second, 2, limit: 9) == ["new"])
    }

    @Test func nothingCanBeSealed() async throws {
        let spill = try folder.store().spill(uid)
        try await spill.seal()
        #expect(try await spill.isSealed())
        #expect(try await spill.depths().isEmpty)
    }

    @Test func wrongCallsAreRefused() async throws {
        let spill = try folder.store().spill(uid)
        for depth in [-1, 5000, Int.max] {
            #expect(await failure { () throws(LogError) in try await spill.append(depth: depth, line: [1]) } != nil)
        }
        #expect(await failure { () throws(LogError) in try await spill.append(depth: 0, line: [1, 10, 2]) } != nil)
        #expect(
            await failure { () throws(LogError) in try await spill.read(3, from: 0, limit: 1) } == .missing("depth-3"))
        #expect(await failure { () throws(LogError) in try await spill.read(3, from: -1, limit: 1) } != nil)
    }
}
