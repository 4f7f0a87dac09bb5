import Foundation
import HaulModel
import Synchronization
import Testing

@testable import HaulProtocol

/// What stands at the destination after a copy that did not go well.
struct CopyRemainsTests {
    private let there = MemoryStore(["/s/a": "content"])
    private let here = MemoryStore()
    private let different = CommonOptions(overwrite: .different)

    private var source: MemoryEnd { MemoryEnd(store: there, path: "/s/a") }
    private var target: MemoryEnd { MemoryEnd(store: here, path: "/d/a") }
    private var object: MemoryEnd {
        var object = target
        object.given.publication = .whole
        return object
    }

    private func large() { there.change { $0.files["/s/a"]?.data = Data(count: 4 << 20) } }

    /// A cancel for good leaves nothing; an end of this attempt alone leaves the part to the next one, also on the last try: it
    /// is made again.
    @Test(arguments: [false, true], [false, true]) func aCancelledCopy(_ keep: Bool, last: Bool) async throws {
        large()
        let (source, target) = (source, target)
        let running = Mutex<(task: Task<Copied, any Error>?, report: ElementReport?)>((nil, nil))
        there.change { state in
            state.afterBytes = (
                1_000_000,
                { _ in
                    running.withLock {
                        $0.report?.cancel(keep: keep)
                        $0.task?.cancel()
                    }
                }
            )
        }
        let gate = AsyncStream<Void>.makeStream()
        let task = Task {
            for await _ in gate.stream {}
            return try await Copied.run(source, target, last: last) { report in running.withLock { $0.report = report }
            }
        }
        running.withLock { $0.task = task }
        gate.continuation.finish()
        let copied = try await task.value
        #expect(copied.wasCancelled && here.files["/d/a"] == nil)
        #expect(here.parts.count == (keep ? 1 : 0))
        guard keep else { return }
        let rest = try await Copied.run(source, target, attempt: 2)
        #expect(rest.failure == nil && rest.log.contains("going on from byte") && here.files.count == 1)
    }

    /// An attempt that ends before it goes on from a part, and after which none comes, takes that with it.
    @Test func aPartThatNobodyGoesOnFrom() async throws {
        func cutOff() async throws {
            large()
            here.change { $0 = MemoryStore.State() }
            there.change { $0.readFailsAt = 1_000_000 }
            #expect(try await Copied.run(source, target).failure?.errorClass == .interrupted)
            there.change { $0.readFailsAt = nil }
            #expect(here.parts.count == 1)
        }
        // Somebody else has brought the file.
        try await cutOff()
        let file = try #require(there.files["/s/a"])
        here.change { $0.files["/d/a"] = file }
        #expect(try await Copied.run(source, target, different, attempt: 2).failure == nil)
        #expect(here.parts.isEmpty && here.files["/d/a"] == file)
        // Something else is in the way, for good.
        try await cutOff()
        here.change { $0.files["/d/a"] = .init(data: Data("old".utf8)) }
        #expect(try await Copied.run(source, target, attempt: 2).failure?.errorClass == .exists)
        #expect(here.parts.isEmpty && here.text("/d/a") == "old")
        // The directory can't be had: on the last try it goes, before that it stays.
        for last in [false, true] {
            try await cutOff()
            here.change { $0.refusesParents = true }
            let copied = try await Copied.run(source, target, attempt: 2, last: last)
            #expect(copied.failure?.errorClass == .busy && here.parts.count == (last ? 0 : 1), "\(last)")
        }
        // Nobody has been there before: nothing is looked for.
        large()
        here.change {
            $0 = MemoryStore.State()
            $0.discardFails = true
            $0.files["/d/a"] = .init(data: Data("old".utf8))
        }
        #expect(try await !Copied.run(source, target).log.contains("could not be removed"))
    }

    /// Of a writer that has much on its way at a time the last bytes may be missing before others that are there.
    @Test func aPartWithAHole() async throws {
        let content = Data((0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        there.change { $0.files["/s/a"]?.data = content }
        var holed = content.prefix(3 << 20)
        holed.replaceSubrange((2 << 20)..<(2 << 20) + 1000, with: Data(count: 1000))
        let part = try PartFile.name(
            seed: ElementSpec(id: "e", source: "/s/a").partSeed, size: content.count, modified: 1000)
        here.change { $0.files["/d/\(part)"] = .init(data: Data(holed)) }
        var target = target
        target.given.unsure = 1 << 20
        let copied = try await Copied.run(source, target, attempt: 2)
        #expect(copied.failure == nil && copied.log.contains("going on from byte \(2 << 20) "), "\(copied)")
        #expect(here.files["/d/a"]?.data == content && here.parts.isEmpty)
    }

    /// The source cannot be looked at any more: that says nothing against what has arrived.
    @Test func whatWasPublishedStays() async throws {
        for publication in [CopyTraits.Publication.whole, .inPlace] {
            var target = target
            target.given.publication = publication
            here.change { $0.files["/d/a"] = .init(data: Data("old".utf8)) }
            there.change { $0.afterBytes = (7, { $0.isAway = true }) }
            let copied = try await Copied.run(source, target, different)
            #expect(copied.failure?.errorClass == .connect, "\(copied)")
            #expect(here.text("/d/a") == "content", "\(publication)")
            there.change { $0.isAway = false }
            #expect(try await Copied.run(source, target, different, attempt: 2).failure == nil)
        }
        // What is known to be wrong goes.
        there.change { $0.afterBytes = (7, { $0.files["/s/a"]?.modified = 2000 }) }
        here.change { $0.files["/d/a"] = .init(data: Data("old".utf8)) }
        #expect(try await Copied.run(source, object, different).failure?.errorClass == .busy)
        #expect(here.files.isEmpty)
    }

    /// A write that never began leaves what was there, where it is written in place.
    @Test func whatWasNotWrittenToStays() async throws {
        here.change {
            $0.renames = false
            $0.files["/d/a"] = .init(data: Data("old".utf8))
        }
        let away = CopyMover<MemoryEnd, MemoryEnd>.whole("", paces: true) { _ in
            throw BackendFailure(.busy, "come back later")
        }
        for last in [false, true] {
            let copied = try await Copied.run(source, target, different, last: last, movers: [away])
            #expect(copied.failure?.errorClass == .busy && here.text("/d/a") == "old")
        }
        here.change { $0.writeFailsAt = 3 }
        #expect(try await Copied.run(source, target, different).failure?.errorClass == .connect)
        #expect(here.files.isEmpty, "half of the new one is not the old one")
    }

    @Test func whatCannotBeRemovedIsTold() async throws {
        large()
        there.change { $0.readFailsAt = 1_000_000 }
        here.change { $0.discardFails = true }
        let copied = try await Copied.run(source, target, last: true)
        #expect(copied.failure?.errorClass == .interrupted && here.parts.count == 1)
        #expect(copied.failure?.reason.contains("could not be removed") == true, "\(copied)")
        #expect(copied.log.contains("could not be removed: connect: away"))
    }

    /// Another attempt renamed the part, or removed it: this one is tried again.
    @Test func aPartThatIsGoneIsNoMissingFile() async throws {
        let here = here
        there.change { $0.afterBytes = (7, { _ in here.change { $0.publishFails = true } }) }
        let copied = try await Copied.run(source, target)
        #expect(copied.failure?.errorClass == .busy, "\(copied)")
    }

    /// A promise is about the bytes that went, not about what the source's server says of its own.
    @Test func aPromiseIsHeldAgainstWhatPasses() async throws {
        let sum = "md5:9a0364b9e99bb480dd25e1f0284c8555"
        var knowing = source
        knowing.given.checksums = [.md5]
        here.change { $0.corrupts = true }
        let within = CopyMover<MemoryEnd, MemoryEnd>.whole("moved elsewhere", paces: true) { move in
            move.target.store.change { $0.files[move.target.path] = .init(data: Data("CONTENT".utf8)) }
            return CopyMoved()
        }
        let moved = try await Copied.run(knowing, target, checksum: sum, movers: [within])
        #expect(moved.failure?.errorClass == .checksum && here.files.isEmpty, "\(moved)")
        // Through the worker the bytes are hashed as they pass: what the source sends is not what it says.
        there.change { $0.sends = Data("CONTENT".utf8) }
        let passed = try await Copied.run(knowing, target, checksum: sum)
        #expect(passed.failure?.errorClass == .checksum && here.files.isEmpty, "\(passed)")
    }

    /// A source that is cut short ends before its time: no later attempt would look for what was written of it.
    @Test func aSourceThatBecomesShorter() async throws {
        large()
        there.change { state in
            state.afterBytes = (
                1_000_000, { $0.files["/s/a"] = .init(data: Data(count: 500_000), modified: 2000) }
            )
        }
        let copied = try await Copied.run(source, target)
        #expect(copied.failure?.errorClass == .busy && here.files.isEmpty, "\(copied)")
        // The same end, of a source that is what it was.
        large()
        there.change { $0.readFailsAt = 1_000_000 }
        let cut = try await Copied.run(source, target)
        #expect(cut.failure?.errorClass == .interrupted && here.parts.count == 1, "\(cut)")
    }

    /// Readers that notice by themselves have words of their own for it, which are told, too.
    @Test(arguments: [ErrorClass.busy, .invalid, .permission])
    func aSourceThatGrows(_ errorClass: ErrorClass) async throws {
        large()
        there.change { state in
            state.readFailsAt = 1_000_000
            state.readFailure = BackendFailure(errorClass, "more than was announced")
            state.afterBytes = (900_000, { $0.files["/s/a"] = .init(data: Data(count: 4_000_000), modified: 2000) })
        }
        let copied = try await Copied.run(source, target)
        #expect(here.files.isEmpty)
        #expect(copied.failure?.errorClass == (errorClass == .permission ? .permission : .busy), "\(copied)")
        if errorClass != .permission { #expect(copied.log.contains("more than was announced")) }
        // The same, of a source that is what it was.
        large()
        there.change { state in
            state.readFailsAt = 1_000_000
            state.readFailure = BackendFailure(errorClass, "more than was announced")
        }
        #expect(try await Copied.run(source, target).failure?.errorClass == errorClass)
        #expect(here.parts.count == (errorClass.isPermanent ? 0 : 1))
    }

    /// A source that is rewritten while its checksum is taken is tried again; nothing is wrong with what arrived.
    @Test func aSourceThatChangesWhileItIsReadAgain() async throws {
        let within = CopyMover<MemoryEnd, MemoryEnd>.whole("moved elsewhere", paces: true) { move in
            let file = move.source.store.files[move.source.path]
            move.target.store.change { $0.files[move.target.path] = file }
            return CopyMoved()
        }
        there.change { state in
            state.afterBytes = (7, { $0.files["/s/a"] = .init(data: Data("CONTENT".utf8), modified: 2000) })
            state.sends = Data("CONTENT".utf8)
        }
        let copied = try await Copied.run(source, target, CommonOptions(verify: .checksum), movers: [within])
        #expect(copied.failure?.errorClass == .busy && here.files.isEmpty, "\(copied)")
    }
}
