import Foundation
import HaulLogs
import HaulModel
import Testing

/// Logs that came whole, in pieces, late, too long, and what a crash left of them.
@Suite struct LogTests {
    private typealias T = TemporaryLogs

    @Test func appendedTogether() async throws {
        let logs = try T()
        let texts = ["one\n", "", "no newline", "=== element 9 attempt 9 worker x\n", "\u{0}\u{1b}"]
        let places = try await logs.store.append(texts.enumerated().map { T.log($1, T.key($0)) })
        #expect(places.allSatisfy { $0.file == "attempts-1.log" })
        for (place, text) in zip(places, texts) { #expect(try await logs.text(place) == text) }
        let file = try String(contentsOfFile: logs.path("attempts-1.log"), encoding: .utf8)
        #expect(file.hasPrefix("=== element 0 attempt 1 worker w 2023-11-14T22:13:20.000Z\none\n=== element 1 "))
        #expect(await logs.store.exists(T.uid(), places) == [true, true, true, true, true])
    }

    /// Many callers at once, over many jobs: every place holds its own text.
    @Test func concurrentAppends() async throws {
        let logs = try T { $0.filesSyncedEach = 4 }
        let results = try await withThrowingTaskGroup(of: (Int, String, Attempt.LogPlace).self) { group in
            for n in 0..<200 {
                group.addTask {
                    let text = "log \(n) " + String(repeating: "x", count: n)
                    let place = try await logs.store.append([T.log(text, T.key(n, job: n % 17))])[0]
                    return (n, text, place)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (n, text, place) in results { #expect(try await logs.text(place, job: n % 17) == text) }
    }

    /// A header line is one line, whatever a worker calls itself.
    @Test func hostileWorkerName() async throws {
        let logs = try T()
        var log = T.log("text")
        log.worker = "evil\n=== element 1 attempt 1\u{0}\u{1b}"
        _ = try await logs.store.append([log])
        let file = try String(contentsOfFile: logs.path("attempts-1.log"), encoding: .utf8)
        #expect(file.split(separator: "\n").count == 2)
    }

    /// Past the limit a numbered file is followed by the next; a long log has a file of its own; a longer one is cut.
    @Test func forms() async throws {
        let logs = try T {
            $0.numberedFile = 1000
            $0.ownFile = 500
            $0.log = 2000
        }
        let text = String(repeating: "n", count: 400)
        var files: [String] = []
        for n in 0..<6 { files.append(try await logs.store.append([T.log(text, T.key(n))])[0].file) }
        #expect(Set(files).count > 1 && files.first == "attempts-1.log" && files.last != "attempts-1.log")
        let own = try await logs.store.append([T.log(String(repeating: "o", count: 501), T.key(7))])[0]
        #expect(own == .init(file: "element-7.attempt-1.log", offset: 0, length: 501))
        let cut = try await logs.store.append([T.log(String(repeating: "c", count: 5000), T.key(8))])[0]
        let kept = try await logs.text(cut)
        #expect(kept.hasPrefix(String(repeating: "c", count: 2000) + "\n=== haul: the log is longer"))
        #expect(kept.hasSuffix("dropped\n") && kept.utf8.count < 2200)
    }

    /// What a crash left at the end of a numbered file is no part of the next log, nor is its header lost in it.
    @Test func crashLeftover() async throws {
        let logs = try T()
        let first = try await logs.store.append([T.log("first\n")])[0]
        let file = try #require(FileHandle(forUpdatingAtPath: logs.path("attempts-1.log")))
        try file.seekToEnd()
        try file.write(contentsOf: Data("=== element 1 attempt 1 worker w\nhalf of a li".utf8))
        try file.close()
        let again = try logs.reopened()
        let second = try await again.append([T.log("second\n", T.key(1))])[0]
        #expect(try await logs.text(first) == "first\n")
        #expect(try await logs.text(second) == "second\n")
        let text = try String(contentsOfFile: logs.path("attempts-1.log"), encoding: .utf8)
        #expect(text.contains("half of a li\n=== element 1 attempt 1 worker w 2023"))
    }

    @Test func missing() async throws {
        let logs = try T()
        let place = try await logs.store.append([T.log("text\n")])[0]
        let beyond = Attempt.LogPlace(file: place.file, offset: place.offset, length: place.length + 1)
        let hostile = ["../../x", "/etc/passwd", "", "attempts-1.log/../..", "spill.sealed", "attempts-\u{0}.log"]
        let places = hostile.map { Attempt.LogPlace(file: $0, offset: 0, length: 0) }
        #expect(await logs.store.exists(T.uid(), [beyond] + places).allSatisfy { !$0 })
        #expect(await logs.store.exists("../../../../etc", [place]) == [false])
        for wrong in places + [beyond] {
            await #expect(throws: LogError.self) {
                _ = try await logs.store.read(T.uid(), wrong, from: 0, count: wrong.length)
            }
        }
        try await logs.store.removeJob(T.uid())
        #expect(await logs.store.exists(T.uid(), [place]) == [false])
        try await logs.store.removeJob(T.uid())
    }

    /// Pieces: continued, repeated, overlapping; a gap or another text is refused with the right offset.
    @Test func pieces() async throws {
        let logs = try T()
        func send(_ offset: Int, _ text: String) async throws -> Int {
            try await logs.store.appendGrowing(T.key(), offset: offset, bytes: Array(text.utf8))
        }
        #expect(await logs.store.growingLength(T.key()) == nil)
        #expect(try await send(0, "abc") == 3)
        #expect(try await send(0, "abc") == 3)
        #expect(try await send(1, "bcde") == 5)
        #expect(try await send(5, "") == 5)
        for (offset, text) in [(6, "x"), (Int.max, "x"), (-1, "x"), (0, "abX"), (3, "Xe")] {
            await #expect(throws: LogError.wrongOffset(have: 5)) { _ = try await send(offset, text) }
        }
        let place = try await logs.store.finishGrowing(T.key(), worker: "w", time: T.now, extra: Array("!".utf8))
        #expect(place.file == "attempts-1.log")
        #expect(try await logs.text(place) == "abcde!")
        #expect(!FileManager.default.fileExists(atPath: logs.path("element-0.attempt-1.log")))
    }

    /// Past the limit pieces are dropped and still accepted, whatever offset they name.
    @Test func growingPastTheLimit() async throws {
        let logs = try T {
            $0.log = 10
            $0.ownFile = 5
        }
        let key = T.key()
        #expect(try await logs.store.appendGrowing(key, offset: 0, bytes: Array("0123456789ABC".utf8)) == 13)
        #expect(try await logs.store.appendGrowing(key, offset: 13, bytes: Array("more".utf8)) == 17)
        for offset in [Int.max, Int.max - 1, -1] {
            await #expect(throws: LogError.self) {
                _ = try await logs.store.appendGrowing(key, offset: offset, bytes: [1, 2])
            }
        }
        let place = try await logs.store.finishGrowing(key, worker: "w", time: T.now, extra: [])
        let text = try await logs.text(place)
        #expect(text.hasPrefix("0123456789\n=== haul:") && !text.contains("A"), "\(text)")
        #expect(text.components(separatedBy: "=== haul").count == 2)
    }

    /// Late logs: aside, marked, cut, and only the first few.
    @Test func lateLogs() async throws {
        let logs = try T {
            $0.lateLogs = 2
            $0.lateLog = 8
        }
        for n in 0..<4 {
            try await logs.store.keepLate(T.key(), worker: "w", time: T.now, text: Array("late \(n) and more".utf8))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: logs.path("")).sorted()
        #expect(names == ["element-0.attempt-1.late-1.log", "element-0.attempt-1.late-2.log"])
        let text = try String(contentsOfFile: logs.path(names[0]), encoding: .utf8)
        #expect(text.hasPrefix("=== element 0 attempt 1 LATE worker w ") && text.contains("late 0 a\n=== haul"))
    }

    @Test(arguments: ["", "../x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", String(repeating: "a", count: 33), "aa/aa"])
    func foreignKeys(uid: String) async throws {
        let logs = try T()
        let key = AttemptKey(logUID: uid, element: 0, attempt: 1)
        await #expect(throws: LogError.self) { _ = try await logs.store.append([T.log("x", key)]) }
        await #expect(throws: LogError.self) { _ = try await logs.store.appendGrowing(key, offset: 0, bytes: [1]) }
        await #expect(throws: LogError.self) { try await logs.store.removeJob(uid) }
        let negative = AttemptKey(logUID: T.uid(), element: -1, attempt: 0)
        await #expect(throws: LogError.self) { _ = try await logs.store.append([T.log("x", negative)]) }
    }

    @Test func unusableRoot() throws {
        let file = NSTemporaryDirectory() + "haul-file-\(UUID().uuidString)"
        try "x".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        for root in [file, file + "/below", "/nonexistent/a/b"] {
            #expect(throws: LogError.self) { _ = try LogStore(root: root) }
        }
    }
}
