import Foundation
import HaulLogs
import HaulModel
import Testing

struct GrowingTests {
    private let folder: LogFolder
    private let key = LogFolder.key()

    init() throws { folder = try LogFolder() }

    private func finish(_ store: LogStore, extra: [UInt8] = []) async throws -> Attempt.LogPlace {
        try await store.finishGrowing(key, worker: "w", time: LogFolder.time, extra: extra)
    }

    @Test func piecesComeInOrderOrTwiceButNotWithAGap() async throws {
        let store = try folder.store()
        #expect(await store.growing([key]).isEmpty)
        #expect(
            await failure { () throws(LogError) in
                try await store.appendGrowing(key, offset: 1, bytes: [1])
            } == .wrongOffset(have: 0))
        #expect(await store.growing([key]).isEmpty)
        #expect(try await store.appendGrowing(key, offset: 0, bytes: Array("abc".utf8)) == 3)
        #expect(try await store.appendGrowing(key, offset: 0, bytes: Array("abc".utf8)) == 3)
        #expect(try await store.appendGrowing(key, offset: 1, bytes: Array("b".utf8)) == 3)
        #expect(try await store.appendGrowing(key, offset: 2, bytes: Array("cde".utf8)) == 5)
        #expect(try await store.appendGrowing(key, offset: 5, bytes: []) == 5)
        for offset in [6, -1, .max, .min] {
            #expect(
                await failure { () throws(LogError) in
                    try await store.appendGrowing(key, offset: offset, bytes: Array("xy".utf8))
                } == .wrongOffset(have: 5))
        }
        #expect(
            await failure { () throws(LogError) in
                try await store.appendGrowing(key, offset: 4, bytes: Array("xx".utf8))
            } == .wrongOffset(have: 5))
        #expect(await store.growing([key]) == [key])
        #expect(try folder.bytes(key, "element-3.attempt-2.log") == Array("abcde".utf8))
    }

    @Test func aShortLogIsCopiedAndReleasedOnceItsPlaceIsRecorded() async throws {
        var store = try folder.store()
        _ = try await store.appendGrowing(key, offset: 0, bytes: Array("abc".utf8))
        let first = try await finish(store, extra: Array("-end".utf8))
        #expect(first.file == "attempts-1.log")
        // The server ended before it recorded the place: the whole log is still to be had.
        store = try folder.store()
        let second = try await finish(store, extra: Array("-end".utf8))
        #expect(try await readAll(store, key, second) == Array("abc-end".utf8))
        #expect(try await readAll(store, key, first) == Array("abc-end".utf8))
        await store.releaseGrowing(key, recordedAt: second)
        await store.releaseGrowing(key, recordedAt: second)
        #expect(await store.growing([key]).isEmpty)
        #expect(try await readAll(store, key, second) == Array("abc-end".utf8))
    }

    @Test func aLongLogStaysInItsFile() async throws {
        let store = try folder.store()
        let piece = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 4) }
        for number in 0..<3 {
            let length = try await store.appendGrowing(key, offset: number << 20, bytes: piece)
            #expect(length == (number + 1) << 20)
        }
        let place = try await finish(store, extra: [9])
        #expect(place == Attempt.LogPlace(file: "element-3.attempt-2.log", offset: 0, length: 3 << 20 + 1))
        await store.releaseGrowing(key, recordedAt: place)
        #expect(try await readAll(store, key, place) == piece + piece + piece + [9])
        let numbered = String(decoding: try folder.bytes(key, "attempts-1.log"), as: UTF8.self)
        #expect(numbered.hasPrefix("=== element 3 attempt 2 worker w "))
    }

    @Test func nothingSentIsALogOfTheReportAlone() async throws {
        let store = try folder.store()
        #expect(try await readAll(store, key, try await finish(store, extra: [1, 2])) == [1, 2])
        #expect(try await finish(store).length == 0)
    }

    @Test func aChattyToolIsCutAndGoesOn() async throws {
        var store = try folder.store { $0.log = 10 }
        #expect(try await store.appendGrowing(key, offset: 0, bytes: Array("0123456".utf8)) == 7)
        #expect(try await store.appendGrowing(key, offset: 7, bytes: Array("789abc".utf8)) == 13)
        #expect(try await store.appendGrowing(key, offset: 13, bytes: Array("def".utf8)) == 16)
        #expect(
            await failure { () throws(LogError) in
                try await store.appendGrowing(key, offset: .max, bytes: [1, 2])
            } == .wrongOffset(have: 10))
        store = try folder.store { $0.log = 10 }
        #expect(await store.growing([key]) == [key])
        #expect(try await store.appendGrowing(key, offset: 10, bytes: Array("abc".utf8)) == 13)
        let log = try await readAll(store, key, try await finish(store, extra: Array("last\n".utf8)))
        #expect(String(decoding: log, as: UTF8.self) == "0123456789\n=== cut by haul after 10 bytes\nlast\n")
    }

    @Test func lateLogsAreKeptAsideAndAreFew() async throws {
        let store = try folder.store { $0.lateLog = 1000 }
        let place = try #require(try await store.append([LogFolder.log(key, Array("first".utf8))]).first)
        for number in 0..<20 {
            let text = Array(repeating: UInt8(number), count: 5000)
            try await store.keepLate(key, worker: "w\nx", time: LogFolder.time, text: text)
        }
        let late = try folder.names(key).filter { $0.contains("late") }
        #expect(late == (1...4).map { "element-3.attempt-2.late-\($0).log" })
        for name in late { #expect(try folder.bytes(key, name).count < 1300) }
        let first = try folder.bytes(key, late[0])
        #expect(String(decoding: first, as: UTF8.self).hasPrefix("=== element 3 attempt 2 worker w?x 2023"))
        #expect(String(decoding: first, as: UTF8.self).contains(", late\n"))
        #expect(first.filter { $0 == 0 }.count == 1000)
        #expect(try await readAll(store, key, place) == Array("first".utf8))
    }
}
