import Foundation
import HaulLogs
import HaulModel
import Support
import Synchronization
import Testing

/// A store of logs over a spool and a bucket, with its uploads running.
private final class Spooled: Sendable {
    let store: LogStore
    private let uploads: Task<Void, Never>
    let events: Events

    final class Events: Sendable {
        private let list = Mutex<[String?]>([])
        var all: [String?] { list.withLock { $0 } }
        func add(_ event: String?) { list.withLock { $0.append(event) } }
    }

    /// - Parameter patience: seconds until a bucket that says nothing counts as away; long where none is to.
    init(
        _ root: String, _ bucket: FakeBucket, patience: Double = 60, server: Int = 1, bytes: Int = 64 << 20,
        uploads isUploading: Bool = true, elsewhere: (any LogsElsewhere)? = nil
    ) throws {
        var limits = LogLimits()
        limits.uploadAfter = 0.05
        let folder = try SpoolFolder(root: root)
        try folder.keep(server: server)
        var address = bucket.address
        address.patience = patience
        let store = try LogStore(
            spool: folder, spoolBytes: bytes, bucket: address, limits: limits, server: server,
            elsewhere: elsewhere)
        self.store = store
        let events = Events()
        self.events = events
        uploads = Task { if isUploading { await store.upload { events.add($0) } } }
    }

    func stop() async {
        uploads.cancel()
        await uploads.value
    }
}

@Suite(.timeLimit(.minutes(6))) struct BucketTests {
    let folder: LogFolder
    let bucket: FakeBucket

    init() throws {
        folder = try LogFolder()
        bucket = try FakeBucket()
    }

    private func waiting(_ name: String = "a") throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: folder.root + "/\(name)/finished").count
    }

    private func drained(_ name: String = "a") async throws {
        try await eventually("the spool is empty", within: .seconds(60)) { try waiting(name) == 0 }
    }

    private func text(_ number: Int) -> [UInt8] { Array("log \(number) ü\n".utf8) }

    @Test func manyLogsShareAnObject() async throws {
        let spooled = try Spooled(folder.root + "/a", bucket)
        let keys = (0..<300).map { LogFolder.key(1, $0, 1) }
        let places = try await spooled.store.append(keys.map { LogFolder.log($0, text($0.element)) })
        // Readable at once, and after it went up, by others too.
        #expect(try await readAll(spooled.store, keys[7], places[7]) == text(7))
        try await drained()
        #expect(bucket.objects.count == 1, "\(bucket.objects.keys)")
        let other = try Spooled(folder.root + "/b", bucket, server: 2)
        for store in [spooled.store, other.store] {
            for (key, place) in zip(keys, places) {
                #expect(try await readAll(store, key, place, piece: 5) == text(key.element))
            }
            #expect(await store.exists(keys[0].logUID, places) == places.map { _ in true })
        }
        // What comes later is another object: none is ever changed.
        let before = bucket.objects
        let late = try await other.store.append([LogFolder.log(LogFolder.key(1, 900, 1), text(900))])
        try await drained("b")
        #expect(before.allSatisfy { bucket.objects[$0.key] == $0.value } && bucket.objects.count == 2)
        #expect(try await readAll(spooled.store, LogFolder.key(1, 900, 1), late[0]) == text(900))
        await spooled.stop()
        await other.stop()
        await bucket.stop()
    }

    @Test func downThenFullThenBack() async throws {
        bucket.set(.down)
        var kept: [(key: AttemptKey, place: Attempt.LogPlace)] = []
        let body = [UInt8](repeating: 0x61, count: 10_000)
        do {
            let spooled = try Spooled(folder.root + "/a", bucket, bytes: 200_000)
            var error: LogError?
            for number in 0..<100 {
                let key = LogFolder.key(number % 3 + 1, number, 1)
                do throws(LogError) {
                    kept.append((key, try await spooled.store.append([LogFolder.log(key, body)])[0]))
                } catch {
                    #expect(error == .spoolFull)
                    break
                }
                _ = error
            }
            #expect((10...19).contains(kept.count), "\(kept.count)")
            // Nothing that grows is taken either.
            error = await failure { () throws(LogError) in
                try await spooled.store.appendGrowing(LogFolder.key(9), offset: 0, bytes: body + body)
            }
            #expect(error == .spoolFull)
            for item in kept { #expect(try await readAll(spooled.store, item.key, item.place) == body) }
            #expect(bucket.objects.isEmpty)
            try await eventually("it says so") { spooled.events.all.first??.contains("503 SlowDown") == true }
            await spooled.stop()
        }
        // The next process finds what waits.
        let spooled = try Spooled(folder.root + "/a", bucket, bytes: 200_000)
        #expect(
            await failure { () throws(LogError) in
                try await spooled.store.append([LogFolder.log(LogFolder.key(1, 777, 1), body + body + body)])
            } == .spoolFull, "what a process before it left counts")
        bucket.set()
        try await drained()
        let place = try await spooled.store.append([LogFolder.log(LogFolder.key(1, 777, 1), body)])
        kept.append((LogFolder.key(1, 777, 1), place[0]))
        try await drained()
        for item in kept { #expect(try await readAll(spooled.store, item.key, item.place) == body) }
        await spooled.stop()
        await bucket.stop()
    }

    /// A bucket that loses a byte keeps nothing out of the spool; one that fails half of the time is enough.
    @Test(arguments: [FakeBucket.Fault.truncates, .down, .failsLate, .hangs]) func nothingGoesBeforeItIsThere(
        _ fault: FakeBucket.Fault
    ) async throws {
        bucket.set(fault)
        let spooled = try Spooled(folder.root + "/a", bucket, patience: 6)
        let key = LogFolder.key()
        // In two parts.
        let body = (0..<(9 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let place = try #require(try await spooled.store.append([LogFolder.log(key, body)]).first)
        try await eventually("it fails") { !spooled.events.all.isEmpty }
        #expect(try waiting() >= 1)
        #expect(try await readAll(spooled.store, key, place, piece: 1 << 20) == body)
        bucket.set(.flaky)
        try await eventually("the spool is empty", within: .seconds(60)) { try waiting() == 0 }
        bucket.set()
        try await eventually("it says that it works again") { spooled.events.all.last == .some(nil) }
        #expect(bucket.openUploads == 0, "what failed is cleared away")
        #expect(bucket.largestBody <= 8 << 20)
        #expect(try await readAll(spooled.store, key, place, piece: 1 << 20) == body)
        await spooled.stop()
        await bucket.stop()
    }

    /// However many the bucket does not take: each of the others goes up.
    @Test func whatIsRefusedHoldsUpNothingElse() async throws {
        let spooled = try Spooled(folder.root + "/a", bucket, uploads: false)
        for job in 1...40 { _ = try await spooled.store.append([LogFolder.log(LogFolder.key(job), text(job))]) }
        await spooled.stop()
        let refused = (1...20).map(LogFolder.uid)
        bucket.refuse(refused)
        let uploads = Task { await spooled.store.upload { spooled.events.add($0) } }
        try await eventually("the others are there") { try waiting() == 20 }
        #expect(bucket.objects.count == 20)
        // Told at the end of a round, which may be one of the others after those that are there now.
        try await eventually("it says so") { !spooled.events.all.isEmpty }
        let events = spooled.events.all
        #expect(events.allSatisfy { $0?.contains("403 AccessDenied") == true }, "\(events)")
        // What comes later does not wait for them.
        let late = LogFolder.key(50)
        let place = try #require(try await spooled.store.append([LogFolder.log(late, text(50))]).first)
        try await eventually("it went up", within: .seconds(10)) { bucket.objects.count == 21 }
        #expect(try await readAll(spooled.store, late, place) == text(50))
        bucket.refuse([])
        try await eventually("all went up", within: .seconds(90)) { try waiting() == 0 }
        try await eventually("it says that it works again") { spooled.events.all.last == .some(nil) }
        uploads.cancel()
        await uploads.value
        await bucket.stop()
    }

    @Test func badAnswersAreNoLogs() async throws {
        let spooled = try Spooled(folder.root + "/a", bucket, patience: 6)
        let key = LogFolder.key()
        let place = try #require(try await spooled.store.append([LogFolder.log(key, text(1))]).first)
        try await drained()
        for fault in [FakeBucket.Fault.wrongRange, .endlessRange, .ignoresRange, .down, .hangs] {
            bucket.set(fault)
            let error = await failure { () throws(LogError) in
                try await spooled.store.read(key.logUID, place, from: 0, count: 4)
            }
            guard case .away = error else {
                Issue.record("\(fault): \(String(describing: error))")
                continue
            }
            #expect(error?.isLoss == false, "what can't be read now is not lost")
        }
        bucket.set()
        #expect(try await readAll(spooled.store, key, place) == text(1))
        let never = Attempt.LogPlace(file: "attempts-123.log", offset: 0, length: 1)
        #expect(
            await failure { () throws(LogError) in
                try await spooled.store.read(key.logUID, never, from: 0, count: 1)
            } == .missing("attempts-123.log"))
        await spooled.stop()
        await bucket.stop()
    }

    @Test func whatGrewGoesUpWhole() async throws {
        let spooled = try Spooled(folder.root + "/a", bucket)
        let store = spooled.store
        let key = LogFolder.key()
        let piece = [UInt8](repeating: 0x62, count: 1 << 20)
        for number in 0..<3 {
            _ = try await store.appendGrowing(key, offset: number << 20, bytes: piece)
        }
        let line = Array("{\"dir\":\"/d\",\"name\":\"f\"}\n".utf8)
        _ = try await store.appendListing(key, offset: 0, bytes: line)
        _ = try await store.append([LogFolder.log(LogFolder.key(2), text(2))])
        try await drained()
        #expect(bucket.objects.count == 1, "what grows stays")
        let summary = try await store.finishListing(key)
        #expect(summary?.entries == 1)
        // A crash before the place was committed: the same call again.
        _ = try await store.finishGrowing(key, worker: "w", time: LogFolder.time, extra: [])
        let place = try await store.finishGrowing(key, worker: "w", time: LogFolder.time, extra: Array("end\n".utf8))
        await store.releaseGrowing(key, recordedAt: place)
        await store.releaseListing(key)
        try await drained()
        let other = try Spooled(folder.root + "/b", bucket, server: 2)
        for store in [store, other.store] {
            let log = try await readAll(store, key, place, piece: 1 << 20)
            #expect(log == piece + piece + piece + Array("end\n".utf8))
            let read = try await store.listing(key, server: 1).next(from: 0, limit: 10)
            #expect(read.lines.map(\.entry?.name) == ["f"] && read.isEnd)
        }
        #expect(try folder.names(below: "a/running") == [], "nothing is left to fill the spool")
        await spooled.stop()
        await other.stop()
        await bucket.stop()
    }

    /// A report whose attempt's end was not committed comes again with more, while the first try is on its way up.
    @Test func whatIsFinishedAnewGoesUpAnew() async throws {
        bucket.set(.hangs)
        let spooled = try Spooled(folder.root + "/a", bucket)
        let store = spooled.store
        let key = LogFolder.key()
        let lines = ["f", "g"].map { Array("{\"dir\":\"/d\",\"name\":\"\($0)\"}\n".utf8) }
        _ = try await store.appendListing(key, offset: 0, bytes: lines[0])
        _ = try await store.finishListing(key)
        try await eventually("it is on its way") { bucket.hanging > 0 }
        _ = try await store.appendListing(key, offset: lines[0].count, bytes: lines[1])
        _ = try await store.finishListing(key)
        await store.releaseListing(key)
        bucket.set()
        try await drained()
        let other = try Spooled(folder.root + "/b", bucket, server: 2)
        for store in [store, other.store] {
            #expect(try await store.listing(key, server: 1).next(from: 0, limit: 10).lines.count == 2)
        }
        await spooled.stop()
        await other.stop()
        await bucket.stop()
    }

    @Test func aJobGoesWithItsObjects() async throws {
        let spooled = try Spooled(folder.root + "/a", bucket)
        for job in 1...2 {
            for number in 0..<5 {
                let key = LogFolder.key(job, number, 1)
                let body = [UInt8](repeating: 0x63, count: (1 << 20) + 1)
                _ = try await spooled.store.append([LogFolder.log(key, body)])
            }
        }
        try await drained()
        #expect(bucket.objects.count >= 12)
        let kept = bucket.objects.filter { $0.key.contains(LogFolder.uid(2)) }
        bucket.set(.down)
        #expect(
            await failure { () throws(LogError) in try await spooled.store.removeJob(LogFolder.uid(1)) } != nil)
        bucket.set()
        try await spooled.store.removeJob(LogFolder.uid(1))
        #expect(bucket.objects == kept)
        try await spooled.store.removeJob(LogFolder.uid(1))
        await spooled.stop()
        await bucket.stop()
    }

    @Test func aSpoolIsOneServers() async throws {
        let spooled = try Spooled(folder.root + "/a", bucket, server: 5)
        #expect(throws: LogError.self) { try SpoolFolder(root: folder.root + "/a") }
        await spooled.stop()
        await bucket.stop()
    }
}

extension LogFolder {
    /// Files below a folder.
    func names(below path: String) throws -> [String] {
        let top = root + "/" + path
        var isFolder: ObjCBool = false
        return (FileManager.default.subpaths(atPath: top) ?? []).filter {
            FileManager.default.fileExists(atPath: top + "/" + $0, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }
}
