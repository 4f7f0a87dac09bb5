import Foundation
import HaulModel
import Synchronization
import Testing

@testable import HaulProtocol

/// What tools and servers that move bytes by themselves are given, and what becomes of what they leave.
struct CopyMoverTests {
    private typealias Mover = CopyMover<MemoryEnd, MemoryEnd>

    /// Where a tool was told to begin, each time.
    private final class Offsets: Sendable {
        private let told = Mutex<[Int]>([])
        var list: [Int] { told.withLock { $0 } }
        func add(_ offset: Int) { told.withLock { $0.append(offset) } }
    }

    private let content = Data((0..<2_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 131) ^ ($0 >> 8)) })
    private let there = MemoryStore()
    private let here = MemoryStore()
    private var source: MemoryEnd { MemoryEnd(store: there, path: "/s/a") }
    private var target: MemoryEnd { MemoryEnd(store: here, path: "/d/a") }

    init() {
        let file = MemoryStore.File(data: content)
        there.change { $0.files["/s/a"] = file }
    }

    /// Appends what is missing, as a tool with a restart marker does.
    private func appending(_ offsets: Offsets, fails: ErrorClass? = nil, resumes: Bool = true) -> Mover {
        .whole("moved by a tool", paces: true, resumes: resumes) { [content] move in
            offsets.add(move.offset)
            let old = move.offset > 0 ? here.files[move.target.path]?.data ?? Data() : Data()
            let end = fails == nil ? content.count : 1_500_000
            here.change {
                $0.files[move.target.path] = .init(data: old.prefix(move.offset) + content[move.offset..<end])
            }
            if let fails { throw BackendFailure(fails, "the tool gave up") }
            return CopyMoved()
        }
    }

    @Test func aToolGoesOnFromWhatWasCompared() async throws {
        let offsets = Offsets()
        let cut = try await Copied.run(source, target, movers: [appending(offsets, fails: .connect)])
        #expect(cut.failure?.errorClass == .connect && here.parts.count == 1)
        there.change { $0.read = 0 }
        let copied = try await Copied.run(source, target, attempt: 2, movers: [appending(offsets)])
        #expect(copied.failure == nil && copied.log.contains("moved by a tool"))
        #expect(offsets.list == [0, 1_500_000])
        #expect(there.use { $0.read } == 256 << 10, "the part's end alone was read")
        #expect(here.files["/d/a"]?.data == content && here.parts.isEmpty)
        // A part that is no beginning of the source is not gone on from.
        here.change { $0.files = [:] }
        _ = try await Copied.run(source, target, movers: [appending(offsets, fails: .timeout)])
        here.change { for part in $0.files.keys { $0.files[part]?.data[1_400_000] ^= 1 } }
        #expect(try await Copied.run(source, target, attempt: 2, movers: [appending(offsets)]).failure == nil)
        #expect(offsets.list == [0, 1_500_000, 0, 0])
        #expect(here.files["/d/a"]?.data == content)
    }

    @Test func whatNobodyGoesOnFromIsRemoved() async throws {
        let offsets = Offsets()
        for errorClass in [ErrorClass.connect, .noSpace] {
            let mover = appending(offsets, fails: errorClass, resumes: false)
            #expect(try await Copied.run(source, target, movers: [mover]).failure?.errorClass == errorClass)
            #expect(here.files.isEmpty)
        }
        let mover = appending(offsets, fails: .noSpace)
        #expect(try await Copied.run(source, target, movers: [mover]).failure?.errorClass == .noSpace)
        #expect(here.files.isEmpty, "what is permanent has no next attempt")
    }

    @Test func aMoverMissesItsDirectory() async throws {
        here.change { $0.missing = ["/d"] }
        let tries = Mutex(0)
        let mover = Mover.whole("", paces: true) { [content] move in
            tries.withLock { $0 += 1 }
            guard here.use({ $0.missing.isEmpty }) else {
                throw CopyWriteFailure(.init(.notFound, "no directory"), parentIsMissing: true, wroteNothing: true)
            }
            here.change { $0.files[move.target.path] = .init(data: content) }
            return CopyMoved()
        }
        #expect(try await Copied.run(source, target, movers: [mover]).failure == nil)
        #expect(tries.withLock { $0 } == 2 && here.files["/d/a"]?.data == content)
        // Once is enough: what is missing for ever fails.
        let never = Mover.whole("", paces: true) { _ in
            tries.withLock { $0 += 1 }
            throw CopyWriteFailure(.init(.notFound, "no directory"), parentIsMissing: true, wroteNothing: true)
        }
        here.change { $0.files = [:] }
        #expect(try await Copied.run(source, target, movers: [never]).failure?.errorClass == .notFound)
        #expect(tries.withLock { $0 } == 4)
    }

    @Test func aSourceThatChangesUnderAMoverIsNoticed() async throws {
        for change in ["other", "gone"] {
            let mover = Mover.whole("", paces: true) { [content] move in
                here.change { $0.files[move.target.path] = .init(data: content) }
                there.change { state in
                    if change == "gone" { state.files = [:] } else { state.files["/s/a"]?.modified = 3000 }
                }
                return CopyMoved()
            }
            #expect(try await Copied.run(source, target, movers: [mover]).failure?.errorClass == .busy)
            #expect(here.files.isEmpty)
        }
    }
}
