import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// Files of this machine as ends of a copy: what stands there, planted or not, is not written through.
@Suite(.timeLimit(.minutes(5)))
struct LocalEndTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }
    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }
    private func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }
    private func end(_ name: String) throws -> LocalEnd { try LocalEnd(worker: path(name)) }
    private func copy(
        _ from: String, _ to: String, _ options: CommonOptions = CommonOptions(), last: Bool = false,
        inKernel: Bool = true
    ) async throws -> Copied {
        try await Copied.run(
            try end(from), try end(to), options, last: last, movers: inKernel ? [LocalEnd.kernel] : [])
    }
    private func part(of name: String) async throws -> String {
        let facts = try #require(try await end(name).facts(follow: false))
        return try PartFile.name(seed: "e", size: facts.size, modified: facts.modified ?? 0)
    }

    @Test(arguments: [true, false]) func copiesWithModeAndTimeToTheNanosecond(_ inKernel: Bool) async throws {
        try write("from", String(repeating: "content", count: 1_000_000))
        chmod(path("from"), 0o604)
        let time = timespec(tv_sec: 1_234_567_890, tv_nsec: 123_456_789)
        utimensat(AT_FDCWD, path("from"), [time, time], 0)
        let copied = try await copy("from", "new/deep/to", CommonOptions(verify: .checksum), inKernel: inKernel)
        #expect(copied.failure == nil)
        #expect(read("new/deep/to") == read("from"))
        let facts = try await end("new/deep/to").facts(follow: false)
        #expect(facts == (try await end("from").facts(follow: false)) && facts?.permissions == 0o604)
        #expect(facts?.nanoseconds == 123_456_789)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("new/deep")) == ["to"])
        // With the same time it is the same to sync.
        #expect(try await copy("from", "new/deep/to", CommonOptions(sync: true)).log.contains("there already"))
        let flat = try await copy("from", "none/to", CommonOptions(parents: false))
        #expect(flat.failure?.errorClass == .notFound)
    }

    @Test func onlyPathsOfFilesAreTaken() throws {
        for wrong in ["relative", "", "/", "/a/", "/a/..", "/a/.", "~/a", "/a\u{0}b"] {
            #expect(throws: BackendFailure.self, "\(wrong)") { _ = try LocalEnd(worker: wrong) }
        }
    }

    @Test func whatIsNoFileIsNotOpened() async throws {
        try write("precious", "precious")
        #expect(mkfifo(path("pipe"), 0o600) == 0)
        #expect(symlink(path("precious"), path("link")) == 0)
        for (name, options) in [
            ("pipe", CommonOptions()), ("pipe", CommonOptions(symlinks: .follow)), ("link", CommonOptions()),
        ] {
            #expect(try await copy(name, "to", options).failure?.errorClass == .invalid, "\(name)")
        }
        #expect(try await copy("link", "to", CommonOptions(symlinks: .follow)).failure == nil)
        #expect(try await copy("none", "to").failure?.errorClass == .notFound)
        #expect(try await copy("precious/below", "to").failure?.errorClass == .notFound)
        #expect(try await copy("precious", "precious/below").failure != nil)
        // A link where the part would stand is somebody's trap.
        try write("from", "from")
        let part = try await part(of: "from")
        #expect(symlink(path("precious"), path(part)) == 0)
        #expect(try await copy("from", "other").failure?.errorClass == .invalid)
        #expect(read("precious") == "precious")
        unlink(path(part))
        #expect(mkfifo(path(part), 0o600) == 0)
        #expect(try await copy("from", "other").failure != nil)
        // A link at the destination gives way itself.
        unlink(path(part))
        #expect(try await copy("from", "link", CommonOptions(overwrite: .always)).failure == nil)
        #expect(read("precious") == "precious" && read("link") == "from")
    }

    @Test func aPartIsWrittenByOneAtATime() async throws {
        try write("from", String(repeating: "x", count: 100_000))
        let part = try await part(of: "from")
        try write(part, String(repeating: "x", count: 60_000))
        // Not for a process that another test starts meanwhile: it would keep the lock.
        let other = open(path(part), O_RDWR | O_CLOEXEC)
        #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
        let busy = try await copy("from", "to", last: true)
        #expect(busy.failure?.errorClass == .busy && read(part)?.count == 60_000)
        close(other)
        // Finished but for its name, it has its source's mode: maybe none to write.
        chmod(path(part), 0o400)
        let copied = try await copy("from", "to")
        #expect(copied.failure == nil && copied.log.contains("going on from byte 60000"))
        #expect(read("to") == read("from") && read(part) == nil)
    }

    @Test func anotherFileThatCameFirstStays() async throws {
        try write("from", "from")
        try write("to", "to")
        let (one, other) = (try end("from"), try end("to"))
        await #expect(throws: BackendFailure.self) { _ = try await one.publish(as: other, replace: false) }
        #expect(read("to") == "to" && read("from") == "from")
        #expect(try await one.publish(as: other, replace: true))
        #expect(read("to") == "from")
        try await one.discard()
    }

    /// Another file system: the kernel may refuse, and then it passes through memory; and it may be full.
    @Test(.enabled(if: getuid() == 0, "only root can mount the small disk that this fills"))
    func onAnotherDisk() async throws {
        let disk = try #require(TinyDisk.open(kibibytes: 2048))
        try write("from", String(repeating: "content", count: 100_000))
        try write("large", String(repeating: "content", count: 1_000_000))
        for inKernel in [true, false] {
            let to = try LocalEnd(worker: "\(disk.root)/to")
            let movers = inKernel ? [LocalEnd.kernel] : []
            let copied = try await Copied.run(
                try end("from"), to, CommonOptions(overwrite: .always, verify: .checksum), movers: movers)
            #expect(copied.failure == nil, "\(String(describing: copied.failure))")
            let full = try await Copied.run(
                try end("large"), try LocalEnd(worker: "\(disk.root)/large"), movers: movers)
            #expect(full.failure?.errorClass == .noSpace, "\(String(describing: full.failure))")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.root) == ["to"])
            #expect(try await to.sibling("none").facts(follow: true) == nil)
        }
        disk.remove()
    }
}
