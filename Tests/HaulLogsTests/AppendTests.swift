import Foundation
import HaulLogs
import HaulModel
import Testing

struct AppendTests {
    private let folder: LogFolder

    init() throws { folder = try LogFolder() }

    @Test func aPersonFindsEachLogUnderItsHeader() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        let places = try await store.append([
            LogFolder.log(key, Array("one\n".utf8)), LogFolder.log(LogFolder.key(1, 4, 1), Array("no line end".utf8)),
            LogFolder.log(LogFolder.key(1, 5, 1), []),
        ])
        let time = "2023-11-14T22:13:20.000Z"
        let expected =
            "=== element 3 attempt 2 worker node-7 \(time)\none\n=== element 4 attempt 1 worker node-7 \(time)\n"
            + "no line end\n=== element 5 attempt 1 worker node-7 \(time)\n"
        #expect(String(decoding: try folder.bytes(key, "attempts-1.log"), as: UTF8.self) == expected)
        #expect(try await readAll(store, key, places[0], piece: 2) == Array("one\n".utf8))
        #expect(try await readAll(store, key, places[1]) == Array("no line end".utf8))
        #expect(try await readAll(store, key, places[2]) == [])
        #expect(await store.exists(key.logUID, places) == [true, true, true])
    }

    @Test func bytesStayAndAWorkersNameCannotForgeAHeader() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        let text = Array("=== element 9 attempt 9\n".utf8) + [0xFF, 0x00, 0xC3, 0x28, 0x0A]
        let hostile = "x\n=== element 1 attempt 1\r\u{2028}\u{202E}" + String(repeating: "y", count: 5000)
        let place = try #require(try await store.append([LogFolder.log(key, text, worker: hostile)]).first)
        #expect(try await readAll(store, key, place) == text)
        let header = try folder.bytes(key, "attempts-1.log")[..<place.offset]
        #expect(header.filter { $0 == 0x0A }.count == 1)
        #expect(header.count < 1000)
        #expect(!String(decoding: header, as: UTF8.self).unicodeScalars.contains("\u{202E}"))
    }

    @Test func aThousandCallersOfAHundredJobs() async throws {
        let store = try folder.store()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    let key = LogFolder.key(number % 100, number / 100, 1)
                    let text = Array("log \(number)\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: number)
                    let places = try await store.append([LogFolder.log(key, text)])
                    let place = try #require(places.first)
                    #expect(try await readAll(store, key, place) == text)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aFullFileIsFollowedByTheNextAlsoAfterReopening() async throws {
        let key = LogFolder.key()
        let text = Array(repeating: UInt8(ascii: "z"), count: 700)
        for round in 0..<3 {
            let store = try folder.store { $0.numberedFile = 2000 }
            for number in 0..<5 {
                let place = try #require(try await store.append([LogFolder.log(key, text)]).first)
                #expect(try await readAll(store, key, place) == text, "round \(round), \(number)")
            }
        }
        #expect(try folder.names(key).count == 5)
        for name in try folder.names(key) { #expect(try folder.bytes(key, name).count < 2000 + 800) }
    }

    @Test(arguments: [[UInt8]("=== element 8 attempt 1 wor".utf8), [0xFF, 0xFE], [0x0A], Array("half\nlog".utf8)])
    func whatACrashLeftIsPassedOver(_ garbage: [UInt8]) async throws {
        let key = LogFolder.key()
        let first = try #require(try await folder.store().append([LogFolder.log(key, [1, 2])]).first)
        try folder.addGarbage(key, "attempts-1.log", garbage)
        let store = try folder.store()
        let second = try #require(try await store.append([LogFolder.log(key, [3, 4])]).first)
        #expect(try await readAll(store, key, first) == [1, 2])
        #expect(try await readAll(store, key, second) == [3, 4])
        let file = try folder.bytes(key, second.file)
        let header = try #require(file[..<(second.offset - 1)].lastIndex(of: 0x0A)) + 1
        #expect(file[header...].starts(with: Array("=== element 3 attempt 2 ".utf8)))
    }

    @Test func aTruncatedFileIsMissedNotMisread() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        let place = try #require(try await store.append([LogFolder.log(key, Array("whole".utf8))]).first)
        let path = folder.path(key, place.file)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: UInt64(place.offset + 2))
        #expect(await store.exists(key.logUID, [place]) == [false])
        #expect(
            await failure { () throws(LogError) in
                try await store.read(key.logUID, place, from: 0, count: 1)
            } == .missing(place.file))
        try FileManager.default.removeItem(atPath: path)
        #expect(await store.exists(key.logUID, [place]) == [false])
    }

    @Test func aLongLogHasItsOwnFileAndAnEarlierOneStays() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        let text = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        let places = try await store.append([LogFolder.log(key, text), LogFolder.log(key, [7])])
        #expect(places[0] == Attempt.LogPlace(file: "element-3.attempt-2.log", offset: 0, length: text.count))
        #expect(try await readAll(store, key, places[0]) == text)
        #expect(try await readAll(store, key, places[1]) == [7])
        let again = try #require(try await store.append([LogFolder.log(key, Array(text.reversed()))]).first)
        #expect(again.file != places[0].file)
        #expect(try await readAll(store, key, places[0]) == text)
        let numbered = String(decoding: try folder.bytes(key, "attempts-1.log"), as: UTF8.self)
        #expect(numbered.contains("3145728 bytes in element-3.attempt-2.log\n"))
    }

    @Test func manyFilesAtOnceAreSyncedTogether() async throws {
        let store = try folder.store {
            $0.filesSyncedEach = 4; $0.openFiles = 4
        }
        let keys = (0..<300).map { LogFolder.key($0, 0, 1) }
        for round in 0..<2 {
            let places = try await store.append(keys.map { LogFolder.log($0, [UInt8(round)]) })
            for (key, place) in zip(keys, places) { #expect(try await readAll(store, key, place) == [UInt8(round)]) }
        }
    }

    @Test func tooMuchAtOnceIsRefusedNotKept() async throws {
        let store = try folder.store { $0.pendingBytes = 10_000 }
        let refused = await withTaskGroup(of: Int.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let log = LogFolder.log(LogFolder.key(1, number, 1), Array(repeating: 1, count: 4000))
                    let error = await failure { () throws(LogError) in try await store.append([log]) }
                    #expect(error == nil || error == .busy)
                    return error == nil ? 0 : 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(refused < 400)
        // It goes on afterwards.
        let log = LogFolder.log(LogFolder.key(), Array(repeating: 1, count: 4000))
        #expect(try await store.append([log]).count == 1)
        #expect(try await store.append([]).isEmpty)
    }

    @Test func aRemovedJobIsGoneAndCanBegin() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        let old = try #require(try await store.append([LogFolder.log(key, [1])]).first)
        try await store.spill(key.logUID).append(depth: 1, line: [65])
        try await store.spill(key.logUID).seal()
        try await store.removeJob(key.logUID)
        try await store.removeJob(key.logUID)
        #expect(!FileManager.default.fileExists(atPath: folder.path(key, "")))
        #expect(await store.exists(key.logUID, [old]) == [false])
        let new = try #require(try await store.append([LogFolder.log(key, [2])]).first)
        #expect(try await readAll(store, key, new) == [2])
    }
}
