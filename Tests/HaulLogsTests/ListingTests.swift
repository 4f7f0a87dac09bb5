import Foundation
import HaulLogs
import HaulModel
import Testing

struct ListingTests {
    private let folder: LogFolder
    private let key = LogFolder.key(1, 0, 1)

    init() throws { folder = try LogFolder() }

    private func send(_ store: LogStore, _ text: String) async throws {
        let have = await store.listingLength(key) ?? 0
        _ = try await store.appendListing(key, offset: have, bytes: Array(text.utf8))
    }

    @Test func piecesMayEndInTheMiddleOfALine() async throws {
        let store = try folder.store()
        #expect(try await store.finishListing(key) == nil)
        #expect(try await !store.listingExists(key))
        let text =
            #"{"dir":"~/d","name":"ä\n","st_size":5,"st_mode":33188,"st_mtime":17}"# + "\n"
            + #" { "dir" : "~/d" , "name" : "sub", "st_mode": 16877.0 }"# + "\n" + #"{"dir":"~/d/sub"}"# + "\n"
        for (number, byte) in text.utf8.enumerated() {
            let length = try await store.appendListing(key, offset: number, bytes: [byte])
            #expect(length == number + 1)
        }
        let summary = try #require(try await store.finishListing(key))
        #expect(summary.bytes == text.utf8.count && summary.entries == 2 && summary.directories == 2)
        #expect(try await store.finishListing(key) == summary)
        let reader = store.listing(key)
        let first = try await reader.next(from: 0, limit: 1)
        #expect(!first.isEnd)
        #expect(first.lines.first?.entry == ListingEntry(name: "ä\n", size: 5, mode: 33188, modified: 17))
        let rest = try await reader.next(from: first.offset, limit: 10)
        #expect(rest.isEnd && rest.offset == text.utf8.count)
        #expect(rest.lines.map(\.entry?.kind) == [.directory, nil])
        #expect(try await reader.next(from: rest.offset, limit: 10).lines.isEmpty)
    }

    @Test func theRulesOfPiecesHold() async throws {
        let store = try folder.store { $0.listing = 100 }
        try await send(store, "{\"dir\":\"x\"}\n")
        #expect(
            await failure { () throws(LogError) in
                try await store.appendListing(key, offset: 13, bytes: [1])
            } == .wrongOffset(have: 12))
        #expect(try await store.appendListing(key, offset: 0, bytes: Array("{\"dir\"".utf8)) == 12)
        #expect(
            await failure { () throws(LogError) in
                try await store.appendListing(key, offset: 0, bytes: Array("[".utf8))
            } == .wrongOffset(have: 12))
        #expect(
            await failure { () throws(LogError) in
                try await store.appendListing(key, offset: 12, bytes: Array(repeating: 32, count: 89))
            } == .tooLarge(limit: 100))
        #expect(await store.listingLength(key) == 12)
        #expect(try await store.appendListing(key, offset: 12, bytes: Array(repeating: 32, count: 88)) == 100)
    }

    /// The first line that is wrong, in a listing after two good ones.
    @Test(arguments: [
        "", "x\n", "[]\n", "{}\n", "{\"dir\":1}\n", "{\"name\":\"f\"}\n", "{\"dir\":\"\"}\n", "\n",
        "{\"dir\":\"~/d\",\"name\":\"\"}\n", "{\"dir\":\"~/d\",\"name\":\"..\"}\n",
        "{\"dir\":\"~/d\",\"name\":\".\",\"st_size\":1,\"st_mode\":33188,\"st_mtime\":1}\n",
        "{\"dir\":\"~/d\",\"name\":\"a/b\",\"st_size\":1,\"st_mode\":33188,\"st_mtime\":1}\n",
        "{\"dir\":\"~/d\",\"name\":\"a\\u0000b\"}\n", "{\"dir\":\"~/d\\u0000\"}\n", "{\"dir\":\"~/d/../x\"}\n",
        "{\"dir\":\"~/d/./x\"}\n", "{\"dir\":\"~/d//x\"}\n", "{\"dir\":\"~/d/x/\"}\n", "{\"dir\":\"/etc\"}\n",
        "{\"dir\":\"~/dx\"}\n", "{\"dir\":\"~/d\"}", "{\"dir\":\"~/d\"}\u{0}\n",
        "{\"dir\":\"~/d\",\"name\":\"a\",\"st_size\":1,\"st_mode\":33188,\"st_mtime\":1}}\n",
    ])
    func aWrongLineIsNamed(_ wrong: String) async throws {
        let store = try folder.store()
        try await send(store, "{\"dir\":\"~/d\",\"name\":\"ok\"}\n{\"dir\":\"~/d\",\"name\":\"fine\"}\n" + wrong)
        let error = await failure { () throws(LogError) in try await store.finishListing(key) }
        if wrong.isEmpty {
            #expect(error == nil)
            return
        }
        guard case .invalidListing(3, let why)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!why.isEmpty && !why.contains("\n"))
    }

    @Test func aDirectoryThatComesBackIsRefused() async throws {
        let store = try folder.store()
        try await send(store, ["d", "d/a", "d/b", "d/b/c", "d/a"].map { "{\"dir\":\"\($0)\"}\n" }.joined())
        guard case .invalidListing(5, _)? = await failure({ () throws(LogError) in try await store.finishListing(key) })
        else {
            Issue.record("it was taken")
            return
        }
    }

    @Test func spellingsThatSwiftCallsEqualAreTwoDirectories() async throws {
        let store = try folder.store()
        try await send(store, ["d", "d/\u{E9}", "d/e\u{301}"].map { "{\"dir\":\"\($0)\"}\n" }.joined())
        #expect(try await store.finishListing(key)?.directories == 3)
    }

    @Test func anEmptyFileAndAnEndlessLineAreRefused() async throws {
        let store = try folder.store { $0.listingLine = 1000 }
        try await send(store, "{\"dir\":\"d\"}\n")
        let endless = Array(repeating: UInt8(ascii: " "), count: 9 << 20)
        _ = try await store.appendListing(key, offset: 12, bytes: endless)
        guard case .invalidListing(2, _)? = await failure({ () throws(LogError) in try await store.finishListing(key) })
        else {
            Issue.record("it was taken")
            return
        }
        let empty = LogFolder.key(2, 0, 1)
        try await store.writeListing(empty, lines: [])
        guard
            case .invalidListing(1, _)? = await failure({ () throws(LogError) in try await store.finishListing(empty) })
        else {
            Issue.record("an empty one was taken")
            return
        }
    }

    @Test func aWholeListingTakesThePlaceOfPieces() async throws {
        let store = try folder.store()
        try await send(store, "garbage")
        let lines = ["a", "b\"\\\u{1}\u{7F}é🙂", "c"].map {
            ListingLine(directory: "~/d/\"", entry: ListingEntry(name: $0, kind: .link, size: 3, modified: -5))
        }
        try await store.writeListing(key, lines: lines)
        #expect(try await store.finishListing(key)?.entries == 3)
        #expect(try await store.listing(key).next(from: 0, limit: 100).lines == lines)
        #expect(try folder.names(key).count == 1)
    }

    @Test func aMissingListingIsToldSo() async throws {
        let store = try folder.store()
        guard
            case .missing? = await failure({ () throws(LogError) in
                try await store.listing(key).next(from: 0, limit: 1)
            })
        else {
            Issue.record("no error")
            return
        }
    }

    /// In a process of its own: what other tests hold meanwhile counts for nothing.
    @Test func aMillionLinesTakeLittleMemory() async {
        await #expect(processExitsWith: .success) {
            let folder = try LogFolder()
            let key = LogFolder.key(1, 0, 1)
            let store = try folder.store()
            let before = try ListingTests.memory("VmHWM:")
            try await store.writeListing(key, lines: MillionLines())
            let summary = try #require(try await store.finishListing(key))
            #expect(summary.entries == 1_000_000 && summary.directories == 1000)
            let reader = store.listing(key)
            var (count, offset, isEnd) = (0, 0, false)
            while !isEnd {
                let read = try await reader.next(from: offset, limit: 1000)
                (count, offset, isEnd) = (count + read.lines.count, read.offset, read.isEnd)
            }
            #expect(count == 1_000_000)
            let growth = try ListingTests.memory("VmHWM:") - before
            print("a listing of 1,000,000 lines: memory grew by \(growth >> 20) MiB")
            #expect(growth < 50 << 20, "grew by \(growth >> 20) MiB")
        }
    }

    /// Bytes (proc(5)).
    fileprivate static func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
        let number = try #require(line.split { !$0.isNumber }.first)
        return try #require(Int(number)) << 10
    }
}

/// 1,000 lines a directory.
private struct MillionLines: Sequence, IteratorProtocol, Sendable {
    private var number = 0

    mutating func next() -> ListingLine? {
        guard number < 1_000_000 else { return nil }
        defer { number += 1 }
        return ListingLine(
            directory: number < 1000 ? "~/d" : "~/d/sub-\(number / 1000)",
            entry: ListingEntry(name: "file-\(number).root", kind: .file, size: number, modified: number))
    }
}
