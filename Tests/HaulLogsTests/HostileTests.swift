import Foundation
import Glibc
import HaulLogs
import HaulModel
import Testing

struct HostileTests {
    private let folder: LogFolder

    init() throws { folder = try LogFolder() }

    @Test(arguments: [
        "", "..", "../../../../etc", String(repeating: "A", count: 32), String(repeating: "a", count: 31),
        String(repeating: "a", count: 33), "../" + String(repeating: "a", count: 29),
        String(repeating: "a", count: 30) + "/.", "\u{0}" + String(repeating: "a", count: 31),
        String(repeating: "é", count: 16),
    ])
    func noKeyEscapes(_ logUID: String) async throws {
        let store = try folder.store()
        let key = AttemptKey(logUID: logUID, element: 0, attempt: 1)
        let place = Attempt.LogPlace(file: "attempts-1.log", offset: 0, length: 0)
        await expectInvalid { () throws(LogError) in try await store.append([LogFolder.log(key, [1])]) }
        await expectInvalid { () throws(LogError) in try await store.appendGrowing(key, offset: 0, bytes: [1]) }
        await expectInvalid { () throws(LogError) in
            try await store.finishGrowing(key, worker: "", time: LogFolder.time, extra: [])
        }
        await expectInvalid { () throws(LogError) in
            try await store.keepLate(key, worker: "", time: LogFolder.time, text: [1])
        }
        await expectInvalid { () throws(LogError) in try await store.appendListing(key, offset: 0, bytes: [1]) }
        await expectInvalid { () throws(LogError) in try await store.finishListing(key) }
        await expectInvalid { () throws(LogError) in try await store.writeListing(key, lines: []) }
        await expectInvalid { () throws(LogError) in try await store.listing(key).next(from: 0, limit: 1) }
        await expectInvalid { () throws(LogError) in try await store.read(logUID, place, from: 0, count: 1) }
        await expectInvalid { () throws(LogError) in try await store.spill(logUID).seal() }
        await expectInvalid { () throws(LogError) in try await store.removeJob(logUID) }
        await store.releaseGrowing(key, recordedAt: place)
        #expect(await store.growing([key]).isEmpty)
        #expect(await store.listingLength(key) == nil)
        #expect(await store.exists(logUID, [place]) == [false])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root).isEmpty)
    }

    private func expectInvalid<Value>(
        _ body: () async throws(LogError) -> Value, _ location: SourceLocation = #_sourceLocation
    ) async {
        guard case .invalidKey = await failure(body) else {
            Issue.record("no invalidKey", sourceLocation: location)
            return
        }
    }

    @Test(arguments: [(-1, 1), (0, 0), (0, -1), (.min, 1)])
    func numbersAreChecked(_ element: Int, _ attempt: Int) async throws {
        let store = try folder.store()
        let key = AttemptKey(logUID: LogFolder.uid(1), element: element, attempt: attempt)
        await expectInvalid { () throws(LogError) in try await store.append([LogFolder.log(key, [1])]) }
    }

    @Test func noPlaceEscapes() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        _ = try await store.append([LogFolder.log(key, [1])])
        for file in ["", "..", "../x.log", "attempts-1.log/../x.log", "/etc/passwd", "element-1\u{0}.log", "spill"] {
            let place = Attempt.LogPlace(file: file, offset: 0, length: 1)
            await expectInvalid { () throws(LogError) in try await store.read(key.logUID, place, from: 0, count: 1) }
            #expect(await store.exists(key.logUID, [place]) == [false])
        }
        for (offset, length) in [(-1, 1), (0, -1), (.max, .max), (.min, 1)] {
            let place = Attempt.LogPlace(file: "attempts-1.log", offset: offset, length: length)
            #expect(await store.exists(key.logUID, [place]) == [false])
            #expect(
                await failure { () throws(LogError) in
                    try await store.read(key.logUID, place, from: 0, count: 1)
                } != nil)
        }
        let place = Attempt.LogPlace(file: "attempts-1.log", offset: 0, length: 3)
        #expect(try await store.read(key.logUID, place, from: .max, count: .max) == [])
        #expect(try await store.read(key.logUID, place, from: 1, count: .max) == Array("==".utf8))
        await expectInvalid { () throws(LogError) in try await store.read(key.logUID, place, from: -1, count: 1) }
    }

    @Test func aSymbolicLinkIsNotFollowed() async throws {
        let store = try folder.store()
        let key = LogFolder.key()
        _ = try await store.append([LogFolder.log(key, [1])])
        let victim = folder.root + "/victim"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: victim))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path(key, "element-3.attempt-2.log"), withDestinationPath: victim)
        #expect(
            await failure { () throws(LogError) in
                try await store.appendGrowing(key, offset: 0, bytes: [9])
            } != nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: victim)) == Data([1, 2, 3]))
    }

    @Test func anUnusableRootIsOneClearLine() throws {
        let file = folder.root + "/file"
        try Data().write(to: URL(fileURLWithPath: file))
        for root in [file, file + "/below", folder.root + "/no/such/parent", "/proc/haul"] {
            do throws(LogError) {
                _ = try LogStore(root: root)
                Issue.record("\(root) was taken")
            } catch {
                guard case .unusableRoot(let text) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(text.contains(root) && !text.contains("\n"))
            }
        }
    }

    @Test func aMissingRootIsMadeForItsOwnerAlone() throws {
        let root = folder.root + "/new"
        _ = try LogStore(root: root)
        let mode = try FileManager.default.attributesOfItem(atPath: root)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }
}
