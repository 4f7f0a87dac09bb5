import Foundation
import HaulLogs
import HaulModel
import Support
import Testing

@Suite(.serialized) struct FullDiskTests {
    private let text = Array(repeating: UInt8(ascii: "f"), count: 20_000)

    /// Appends until the disk is full; the places that were acknowledged.
    private func fill(_ store: LogStore, _ key: AttemptKey) async throws -> [Attempt.LogPlace] {
        var places: [Attempt.LogPlace] = []
        for _ in 0..<100 {
            do throws(LogError) {
                places += try await store.append([LogFolder.log(key, text)])
            } catch {
                #expect(error == .full)
                return places
            }
        }
        Issue.record("the disk never was full")
        return places
    }

    @Test func appendedLogs() async throws {
        guard let disk = TinyDisk.open(kibibytes: 256) else { return }
        let store = try LogStore(root: disk.root)
        let key = LogFolder.key()
        let ballast = disk.root + "/ballast"
        try Data(count: 40_000).write(to: URL(fileURLWithPath: ballast))
        let places = try await fill(store, key)
        #expect(places.count > 3)
        let end = try #require(places.last.map { $0.offset + $0.length + 1 })
        let path = "\(disk.root)/\(key.logUID.prefix(2))/\(key.logUID)/attempts-1.log"
        let length = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(length == end, "half a log stays")
        try FileManager.default.removeItem(atPath: ballast)
        let after = try await store.append([LogFolder.log(key, Array("after".utf8))])
        for place in places { #expect(try await readAll(store, key, place) == text) }
        #expect(try await readAll(store, key, try #require(after.first)) == Array("after".utf8))
    }

    @Test func longLogsAndOthersOfTheGroup() async throws {
        guard let disk = TinyDisk.open(kibibytes: 256) else { return }
        var limits = LogLimits()
        limits.ownFile = 1000
        let store = try LogStore(root: disk.root, limits: limits)
        let huge = LogFolder.log(LogFolder.key(1), Array(repeating: 1, count: 500_000))
        #expect(await failure { () throws(LogError) in try await store.append([huge]) } == .full)
        let small = try await store.append([LogFolder.log(LogFolder.key(2), [5])])
        #expect(try await readAll(store, LogFolder.key(2), try #require(small.first)) == [5])
    }

    @Test func piecesListingsAndSpills() async throws {
        guard let disk = TinyDisk.open(kibibytes: 256) else { return }
        let store = try LogStore(root: disk.root)
        let key = LogFolder.key()
        _ = try await store.appendGrowing(key, offset: 0, bytes: text)
        let huge = [UInt8](repeating: 7, count: 400_000)
        #expect(
            await failure { () throws(LogError) in
                try await store.appendGrowing(key, offset: text.count, bytes: huge)
            } == .full)
        #expect(
            await failure { () throws(LogError) in
                try await store.appendGrowing(key, offset: .max, bytes: [1])
            } == .wrongOffset(have: text.count))
        #expect(
            await failure { () throws(LogError) in
                try await store.appendListing(key, offset: 0, bytes: huge)
            } == .full)
        #expect(await store.listingLength(key) == 0)
        let lines = [ListingLine](repeating: ListingLine(directory: "~/d", entry: nil), count: 40_000)
        #expect(
            await failure { () throws(LogError) in
                try await store.writeListing(key, lines: lines)
            } == .full)
        let spill = store.spill(key.logUID)
        for _ in 0..<20 { try await spill.append(depth: 1, line: text) }
        #expect(await failure { () throws(LogError) in try await spill.seal() } == .full)
        #expect(try await !spill.isSealed())
        // All that failed has given its space back, but for the spill.
        try await spill.remove()
        #expect(try await store.appendGrowing(key, offset: text.count, bytes: text) == 2 * text.count)
    }
}
