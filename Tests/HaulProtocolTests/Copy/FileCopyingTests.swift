import Foundation
import HaulModel
import Synchronization
import Testing

@testable import HaulProtocol

/// The algorithm of a copy, between ends in memory.
struct FileCopyingTests {
    private let there = MemoryStore(["/s/a": "content"])
    private let here = MemoryStore()

    private var source: MemoryEnd { MemoryEnd(store: there, path: "/s/a") }
    private var target: MemoryEnd { MemoryEnd(store: here, path: "/d/a") }

    private static func large(_ count: Int) -> Data {
        Data((0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 131) ^ ($0 >> 8)) })
    }

    private func store(_ data: Data) { there.change { $0.files["/s/a"] = .init(data: data) } }

    @Test func aFileArrivesWithModeAndTimeAndOnceIsEnough() async throws {
        let copied = try await Copied.run(source, target)
        #expect(copied.failure == nil && copied.result.transferred == 7)
        #expect(here.files == there.files.mapValues { $0 }.reduce(into: [:]) { $0["/d/a"] = $1.value })
        let again = try await Copied.run(source, target, attempt: 2)
        #expect(again.failure == nil && again.result.transferred == 0 && again.log.contains("there already"))
        #expect(here.use { $0.written } == 7)
        #expect(try await Copied.run(source, target, CommonOptions(overwrite: .always)).failure == nil)
        #expect(here.use { $0.written } == 14)
        #expect(here.parts.isEmpty)
    }

    @Test func anEmptyFileArrives() async throws {
        store(Data())
        #expect(try await Copied.run(source, target, CommonOptions(verify: .checksum)).failure == nil)
        #expect(here.text("/d/a") == "")
    }

    @Test func overwriteIsAsAsked() async throws {
        for (overwrite, old, failure, after) in [
            (CommonOptions.Overwrite.never, "other!!!", ErrorClass.exists, "other!!!"),
            (.never, "CONTENT", nil, "CONTENT"), (.different, "CONTENT", nil, "CONTENT"),
            (.different, "other!!!", nil, "content"), (.always, "CONTENT", nil, "content"),
        ] {
            here.change { $0.files = ["/d/a": .init(data: Data(old.utf8))] }
            let copied = try await Copied.run(source, target, CommonOptions(overwrite: overwrite))
            #expect(copied.failure?.errorClass == failure, "\(overwrite) \(old)")
            #expect(here.text("/d/a") == after && here.parts.isEmpty)
        }
    }

    @Test func syncCopiesWhatDiffers() async throws {
        let sync = CommonOptions(sync: true)
        for (old, time, keepsTimes, copies) in [
            ("CONTENT", 1000, true, false), ("CONTENT", 999, true, true), ("CONTENT", 1001, true, true),
            ("other!!!", 1000, true, true), ("CONTENT", 1000, false, false), ("CONTENT", 5000, false, false),
            ("CONTENT", 999, false, true), ("other!!!", 5000, false, true),
        ] {
            here.change { $0.files = ["/d/a": .init(data: Data(old.utf8), modified: time)] }
            var target = target
            target.given.keepsTimes = keepsTimes
            let copied = try await Copied.run(source, target, sync)
            #expect(copied.failure == nil)
            #expect(here.text("/d/a") == (copies ? "content" : old), "\(old) \(time) \(keepsTimes)")
            #expect(copied.log.contains("there already") != copies)
        }
        here.change { $0.files = ["/d/a": .init(data: Data("CONTENT".utf8))] }
        let sum = try await Copied.run(source, target, CommonOptions(verify: .checksum, sync: true))
        #expect(sum.failure == nil && here.text("/d/a") == "content")
        let same = try await Copied.run(source, target, CommonOptions(verify: .checksum, sync: true))
        #expect(same.log.contains("equal in size and checksum and time") && same.result.checksum != nil)
        #expect(
            try await Copied.run(source, target, CommonOptions(overwrite: .always, sync: true)).log.contains("copied"))
    }

    @Test func whatWasCutOffGoesOn() async throws {
        let content = Self.large(4 << 20)
        store(content)
        there.change { $0.readFailsAt = content.count * 8 / 10 }
        let cut = try await Copied.run(source, target)
        #expect(cut.failure?.errorClass == .interrupted)
        #expect(here.files["/d/a"] == nil && here.parts.count == 1)
        there.change {
            $0.readFailsAt = nil
            $0.read = 0
        }
        let rest = try await Copied.run(source, target, attempt: 2)
        #expect(rest.failure == nil && rest.log.contains("going on from byte"))
        #expect(rest.result.transferred == content.count)
        #expect(there.use { $0.read } < content.count * 3 / 10)
        #expect(here.files["/d/a"]?.data == content && here.parts.isEmpty)
    }

    /// All that is left to do is to compare it and to give it its name.
    @Test(arguments: [CommonOptions(), CommonOptions(verify: .checksum)]) func aWholePart(
        _ options: CommonOptions
    ) async throws {
        let content = Self.large(1 << 20)
        store(content)
        here.change { $0.refusesNames = true }
        #expect(try await Copied.run(source, target, options).failure != nil)
        #expect(here.parts.count == 1)
        here.change { $0.refusesNames = false }
        let copied = try await Copied.run(source, target, options, attempt: 2)
        #expect(copied.failure == nil && copied.log.contains("going on from byte \(content.count)"), "\(copied)")
        #expect(here.files["/d/a"]?.data == content && here.parts.isEmpty)
        #expect((copied.result.checksum != nil) == (options.verify == .checksum))
    }

    @Test(arguments: ["damaged", "longer", "no ranges", "no time"]) func aPartIsNotTrusted(_ what: String) async throws
    {
        let content = Self.large(1 << 20)
        store(content)
        there.change {
            if what == "no time" { $0.files["/s/a"]?.modified = nil }
            $0.readFailsAt = 800_000
        }
        _ = try await Copied.run(source, target)
        // Nothing says that it would still be the same source: nothing is kept.
        if what == "no time" { #expect(here.parts.isEmpty) }
        there.change {
            $0.readFailsAt = nil
            if what == "no ranges" { $0.hasRanges = false }
        }
        here.change { state in
            for part in state.files.keys {
                if what == "damaged" { state.files[part]?.data[700_000] ^= 1 }
                if what == "longer" { state.files[part]?.data = content + content }
            }
        }
        let copied = try await Copied.run(source, target, attempt: 2)
        #expect(copied.failure == nil && !copied.log.contains("going on from"))
        #expect(here.files["/d/a"]?.data == content && here.parts.isEmpty)
    }

    /// With `verify` = `checksum` a part cannot vouch for the source; the element's own checksum needs what arrived alone.
    @Test(arguments: [true, false]) func whatIsDamagedBeforeTheTailIsFound(_ promised: Bool) async throws {
        let content = Self.large(2 << 20)
        store(content)
        let hash = try StreamHash(.sha256)
        hash.update(content)
        there.change { $0.readFailsAt = 1_500_000 }
        _ = try await Copied.run(source, target)
        there.change { $0.readFailsAt = nil }
        here.change { for part in $0.files.keys { $0.files[part]?.data[10] ^= 1 } }
        var near = target
        near.given.isNear = true
        let options = CommonOptions(verify: promised ? .size : .checksum)
        let copied = try await Copied.run(
            source, near, options, checksum: promised ? hash.finish() : nil, attempt: 2)
        #expect(copied.log.contains("going on from byte"))
        #expect(copied.failure?.errorClass == .checksum, "\(String(describing: copied.failure))")
        #expect(here.files.isEmpty)
    }

    @Test func whatIsLeftWhen() async throws {
        store(Self.large(1 << 20))
        there.change { $0.readFailsAt = 500_000 }
        _ = try await Copied.run(source, target)
        #expect(here.parts.count == 1)
        _ = try await Copied.run(source, target, attempt: 2, last: true)
        #expect(here.parts.isEmpty, "the last attempt leaves nothing")
        var forgetful = target
        forgetful.given.keepsParts = false
        _ = try await Copied.run(source, forgetful)
        #expect(here.parts.isEmpty, "nobody could go on from it")
        _ = try await Copied.run(source, target)
        here.change { $0.isHeld = true }
        let held = try await Copied.run(source, target, attempt: 2, last: true)
        #expect(held.failure?.errorClass == .busy && here.parts.count == 1, "it is another's")
        // A source that changed gives the next part another name.
        here.change {
            $0.isHeld = false
            $0.files = [:]
        }
        there.change {
            $0.readFailsAt = nil
            $0.read = 0
            $0.afterBytes = (100_000, { $0.files["/s/a"]?.modified = 2000 })
        }
        let changed = try await Copied.run(source, target)
        #expect(changed.failure?.errorClass == .busy && here.files.isEmpty, "\(String(describing: changed.failure))")
    }

    @Test func parentsAreMadeOnceTheyAreMissed() async throws {
        here.change { $0.missing = ["/d"] }
        let none = try await Copied.run(source, target, CommonOptions(parents: false))
        #expect(none.failure?.errorClass == .notFound && here.files.isEmpty)
        #expect(try await Copied.run(source, target).failure == nil)
        #expect(here.text("/d/a") == "content")
    }

    @Test func linksAreFollowedOnWish() async throws {
        there.change { $0.files["/s/a"]?.kind = .link }
        #expect(try await Copied.run(source, target).failure?.errorClass == .invalid)
        #expect(try await Copied.run(source, target, CommonOptions(symlinks: .skip)).failure?.errorClass == .invalid)
        #expect(try await Copied.run(source, target, CommonOptions(symlinks: .follow)).failure == nil)
    }

    @Test func anEndThatPublishesByItselfHasNoParts() async throws {
        var object = target
        object.given.publication = .whole
        here.change { $0.files["/d/a"] = .init(data: Data("old".utf8)) }
        let different = CommonOptions(overwrite: .different)
        // What fails, or is not what was promised, never appears.
        let wrong = "md5:" + String(repeating: "0", count: 32)
        #expect(try await Copied.run(source, object, different, checksum: wrong).failure?.errorClass == .checksum)
        here.change { $0.writeFailsAt = 3 }
        #expect(try await Copied.run(source, object, different).failure?.errorClass == .connect)
        #expect(here.text("/d/a") == "old")
        here.change { $0.writeFailsAt = nil }
        #expect(try await Copied.run(source, object, different).failure == nil)
        #expect(here.text("/d/a") == "content" && here.files.count == 1)
    }

    @Test func anEndThatRenamesNothingWritesTheFinalName() async throws {
        // It turns out when the part is to get its name.
        struct Late: CopyEnd {
            var end: MemoryEnd
            var shown: String { end.shown }
            var traits: CopyTraits { end.traits }
            func facts(follow: Bool) async throws -> FileFacts? { try await end.facts(follow: follow) }
            func sibling(_ name: String) -> Late { Late(end: end.sibling(name)) }
            func prepareParent(make: Bool, isMissing: Bool) async throws {}
            func publish(as target: Late, replace: Bool) async throws -> Bool {
                end.store.change { $0.renames = false }
                return try await end.publish(as: target.end, replace: replace)
            }
            func discard() async throws { try await end.discard() }
            func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? { nil }
            func reader(_ order: ReadOrder) async throws -> any CopyReader { try await end.reader(order) }
            func writer(_ order: WriteOrder) async throws -> any CopyWriter { try await end.writer(order) }
        }
        #expect(try await Copied.run(source, Late(end: target)).failure == nil)
        #expect(here.text("/d/a") == "content" && here.files.count == 1)
        // What fails there is removed, what was refused is not touched.
        here.change {
            $0.files = [:]
            $0.writeFailsAt = 3
        }
        #expect(try await Copied.run(source, target).failure?.errorClass == .connect)
        #expect(here.files.isEmpty)
        here.change {
            $0.files["/d/a"] = .init(data: Data("precious".utf8))
            $0.refuses = true
        }
        let refused = try await Copied.run(source, target, CommonOptions(overwrite: .always))
        #expect(refused.failure?.errorClass == .permission && here.text("/d/a") == "precious")
    }

    /// A cancel while the part gets its name: the file is there, so nobody is told that it is not.
    @Test func aCancelWhileTheNameIsGiven() async throws {
        struct Slow: CopyEnd {
            var end: MemoryEnd
            var onPublish: @Sendable () async -> Void
            var shown: String { end.shown }
            var traits: CopyTraits { end.traits }
            func facts(follow: Bool) async throws -> FileFacts? { try await end.facts(follow: follow) }
            func sibling(_ name: String) -> Slow { Slow(end: end.sibling(name), onPublish: onPublish) }
            func prepareParent(make: Bool, isMissing: Bool) async throws {}
            func publish(as target: Slow, replace: Bool) async throws -> Bool {
                let isDone = try await end.publish(as: target.end, replace: replace)
                await onPublish()
                // As one that waits for a server's answer.
                try Task.checkCancellation()
                return isDone
            }
            func discard() async throws { try await end.discard() }
            func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? { nil }
            func reader(_ order: ReadOrder) async throws -> any CopyReader { try await end.reader(order) }
            func writer(_ order: WriteOrder) async throws -> any CopyWriter { try await end.writer(order) }
        }
        let (source, target) = (source, target)
        let running = Mutex<Task<Copied, any Error>?>(nil)
        let begun = AsyncStream<Void>.makeStream()
        let copying = Task {
            for await _ in begun.stream { break }
            let slow = Slow(end: target) { running.withLock { $0 }?.cancel() }
            return try await Copied.run(source, slow)
        }
        running.withLock { $0 = copying }
        begun.continuation.yield()
        let copied = try await copying.value
        #expect(copied.failure == nil, "\(copied)")
        #expect(here.text("/d/a") == "content" && here.files.count == 1)
    }

    @Test func aPipeIsReadOnce() async throws {
        var (source, target) = (source, target)
        source.given.isStream = true
        target.given = CopyTraits(publication: .whole, isStream: true)
        let copied = try await Copied.run(source, target, CommonOptions(verify: .checksum))
        #expect(copied.failure == nil && copied.result.checksum == "md5:9a0364b9e99bb480dd25e1f0284c8555")
        #expect(there.use { $0.read } == 7 && here.use { $0.read } == 0)
    }
}
