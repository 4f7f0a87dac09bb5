import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// What a copy is held against, and by whom it is computed.
struct CopyChecksumTests {
    private let there = MemoryStore(["/s/a": "content"])
    private let here = MemoryStore()
    private let sums: [StreamHash.Algorithm: String] = [
        .md5: "md5:9a0364b9e99bb480dd25e1f0284c8555", .adler32: "adler32:0bcb02fc",
        .sha1: "sha1:040f06fd774092478d450774f5ba30c5da78acc8",
    ]

    private var source: MemoryEnd { MemoryEnd(store: there, path: "/s/a") }
    private var target: MemoryEnd { MemoryEnd(store: here, path: "/d/a") }

    /// Beside who moves them pieces are hashed in their order, be they large or small.
    @Test(arguments: [StreamHash.Algorithm.md5, .adler32]) func besideTheMove(_ algorithm: StreamHash.Algorithm)
        async throws
    {
        let seeded = Seeded(7)
        let content = Data(seeded.bytes(3 << 20))
        let whole = try StreamHash(algorithm)
        content.withUnsafeBytes { whole.update($0) }
        let side = try SideHash(algorithm)
        var at = 0
        while at < content.count {
            let size = min(
                content.count - at, seeded.percent(50) ? seeded.number(0...100) : seeded.number(60_000...300_000))
            await side.update(content[at..<(at + size)])
            at += size
        }
        #expect(await side.finish() == whole.finish())
        #expect(try await SideHash(.md5).finish() == "md5:d41d8cd98f00b204e9800998ecf8427e")
    }

    @Test func adler32IsZlibs() throws {
        let pattern = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ ($0 >> 8)) }
        for (bytes, sum) in [
            (Array("Wikipedia".utf8), "11e60398"), ([], "00000001"),
            ([UInt8](repeating: 255, count: 1_000_003), "e395e4bb"),
            (pattern, "8e3b2e2c"),
        ] {
            let (whole, pieces) = (try StreamHash(.adler32), try StreamHash(.adler32))
            whole.update(bytes)
            for start in stride(from: 0, to: bytes.count, by: 777) { pieces.update(bytes[start...].prefix(777)) }
            #expect(whole.finish() == "adler32:" + sum)
            #expect(pieces.finish() == "adler32:" + sum)
        }
    }

    @Test func whichOneIsComputed() async throws {
        func computed(
            _ ours: [StreamHash.Algorithm], _ theirs: [StreamHash.Algorithm], _ options: CommonOptions,
            _ checksum: String? = nil
        ) async throws -> String? {
            here.change { $0.files = [:] }
            var (source, target) = (source, target)
            source.given.checksums = ours
            target.given.checksums = theirs
            return try await Copied.run(source, target, options, checksum: checksum).result.checksum
        }
        let checked = CommonOptions(verify: .checksum)
        #expect(try await computed([], [], CommonOptions()) == nil)
        #expect(try await computed([], [], checked) == sums[.md5])
        #expect(try await computed([.sha1, .adler32], [.md5, .adler32, .sha1], checked) == sums[.sha1])
        #expect(try await computed([.sha256, .adler32], [.md5, .adler32], checked) == sums[.adler32])
        #expect(try await computed([.sha256], [.md5], checked) == sums[.md5])
        let chosen = CommonOptions(verify: .checksum, checksumAlgorithm: .sha1)
        #expect(try await computed([.md5], [.md5], chosen) == sums[.sha1])
        #expect(try await computed([], [], chosen, sums[.adler32]) == sums[.adler32])
        #expect(try await computed([], [], CommonOptions(verify: .none), sums[.adler32]) == sums[.adler32])
    }

    @Test func whatBothEndsSayIsEnough() async throws {
        var (source, target) = (source, target)
        source.given.checksums = [.md5]
        target.given.checksums = [.md5]
        let within = CopyMover<MemoryEnd, MemoryEnd>.whole("moved elsewhere", paces: true) { move in
            let file = move.source.store.files[move.source.path]
            move.target.store.change { $0.files[move.target.path] = file }
            return CopyMoved()
        }
        let checked = CommonOptions(verify: .checksum)
        let copied = try await Copied.run(source, target, checked, movers: [within])
        #expect(copied.failure == nil && copied.result.checksum == sums[.md5])
        #expect(there.use { $0.read } == 0 && here.use { $0.read } == 0)
        #expect(there.use { $0.sums } == 1 && here.use { $0.sums } == 1)
        // Where one has no answer it is read; through the worker its bytes are hashed as they pass.
        here.change {
            $0.answersSums = false
            $0.files = [:]
        }
        #expect(try await Copied.run(source, target, checked, movers: [within]).failure == nil)
        #expect(there.use { $0.read } == 0 && here.use { $0.read } == 7)
        source.given.checksums = []
        here.change { $0.files = [:] }
        #expect(try await Copied.run(source, target, checked).failure == nil)
        #expect(there.use { $0.read } == 7)
    }

    @Test func whatIsWrongIsNotPublished() async throws {
        here.change { $0.corrupts = true }
        let checked = try await Copied.run(source, target, CommonOptions(verify: .checksum))
        #expect(checked.failure?.errorClass == .checksum && here.files.isEmpty)
        here.change { $0.corrupts = false }
        for wrong in ["md5:" + String(repeating: "0", count: 32), "adler32:0bcb02fe"] {
            let broken = try await Copied.run(source, target, CommonOptions(verify: .none), checksum: wrong)
            #expect(broken.failure?.errorClass == .checksum && here.files.isEmpty)
        }
        let unknown = try await Copied.run(source, target, checksum: "crc99:00")
        #expect(unknown.failure?.errorClass == .invalid && unknown.failure?.reason.contains("adler32") == true)
        // Upper case, and a number without its leading zero.
        #expect(try await Copied.run(source, target, checksum: "ADLER32:BCB02FC").failure == nil)
        // Equal in size is not enough where a checksum is promised.
        there.change { $0.files["/s/a"]?.data = Data("CONTENT".utf8) }
        let differs = try await Copied.run(source, target, checksum: "md5:" + String(repeating: "a", count: 32))
        #expect(differs.failure?.errorClass == .exists && here.text("/d/a") == "content")
    }

    @Test func aMoverIsHeldToTheSame() async throws {
        let truncating = CopyMover<MemoryEnd, MemoryEnd>.whole("", paces: true) { move in
            move.target.store.change { $0.files[move.target.path] = .init(data: Data("con".utf8)) }
            return CopyMoved()
        }
        let short = try await Copied.run(source, target, movers: [truncating])
        #expect(short.failure?.errorClass == .checksum && here.files.isEmpty)
        let lying = CopyMover<MemoryEnd, MemoryEnd>.whole("", paces: true) { _ in CopyMoved() }
        #expect(try await Copied.run(source, target, movers: [lying]).failure?.errorClass == .checksum)
        let half = CopyMover<MemoryEnd, MemoryEnd>.into("half of it went elsewhere", paces: true) { move, writer in
            try await writer.write(Data("con".utf8), at: move.offset)
            return CopyMoved(offset: 3)
        }
        let none = CopyMover<MemoryEnd, MemoryEnd>.whole("never", paces: true) { _ in nil }
        let copied = try await Copied.run(
            source, target, CommonOptions(verify: .checksum), movers: [half, none])
        #expect(copied.failure == nil && here.text("/d/a") == "content")
        #expect(copied.log.contains("half of it") && !copied.log.contains("never"))
        #expect(copied.result.checksum == sums[.md5])
    }

    @Test func theBandwidthIsKept() async throws {
        let content = Data(count: 300_000)
        there.change { $0.files["/s/a"] = .init(data: content) }
        let clock = SleepClock()
        let greedy = CopyMover<MemoryEnd, MemoryEnd>.whole("greedy", paces: false) { _ in CopyMoved() }
        let options = CommonOptions(bandwidth: 10_000)
        let copied = try await Copied.run(source, target, options, movers: [greedy], clock: clock)
        #expect(copied.failure == nil && !copied.log.contains("greedy"))
        #expect(here.files["/d/a"]?.data == content)
        #expect(clock.now.time == .seconds(30))
        // Checking reads what is far away as slowly.
        let checked = CommonOptions(overwrite: .always, verify: .checksum, bandwidth: 10_000)
        _ = try await Copied.run(source, target, checked, clock: clock)
        #expect(clock.now.time == .seconds(90))
        let pace = BytePace(rate: 1024, clock: clock)
        #expect(pace.piece == 256)
    }
}
