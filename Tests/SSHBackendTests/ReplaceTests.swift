import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

@testable import haul_ssh

/// A file in the place of another, at servers whose rename takes no name that is there.
@Suite(.timeLimit(.minutes(5)))
struct ReplaceTests {
    /// A server that holds names with a text each, and knows LSTAT, REMOVE and RENAME.
    private final class Names: Sendable {
        let files: Mutex<[String: String]>
        /// Sees each rename before it is done; true refuses it.
        let onRename: @Sendable (_ from: String, _ to: String) -> Bool

        init(_ files: [String: String], onRename: @escaping @Sendable (String, String) -> Bool) {
            self.files = Mutex(files)
            self.onRename = onRename
        }

        var now: [String: String] { files.withLock { $0 } }

        func place() async throws -> RemotePlace {
            let transport = ScriptedTransport { [self] in answer($0) }
            let client = SFTPClient(transport)
            try await client.start()
            let site = try SSHSite(
                SiteSpec(
                    site: "s", endpoints: ["127.0.0.1:9"],
                    options: ["host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFbeLHsIcqf"]],
                    credentials: ["ssh-key": "/nowhere"]))
            return RemotePlace(
                client: client, home: "/", pool: ConnectionPool(site, knownHosts: "/nowhere", executable: "/nowhere"))
        }

        private func answer(_ request: Data) -> [Data] {
            var fields = SFTPFieldReader(request)
            guard let type = try? fields.byte(), let id = try? fields.uint32() else { return [] }
            if type == 1 {
                var hello = SFTPFieldWriter()
                hello.add(UInt8(2))
                hello.add(UInt32(3))
                return [ScriptedTransport.framed(hello.bytes)]
            }
            guard let name = (try? fields.string()).map({ String(decoding: $0, as: UTF8.self) }) else { return [] }
            switch type {
            case 7:
                guard now[name] != nil else { return [ScriptedTransport.status(id, 2)] }
                return [
                    ScriptedTransport.packet(105, id) {
                        $0.add(UInt32(5))
                        $0.add(UInt64(3))
                        $0.add(UInt32(0o100644))
                    }
                ]
            case 13:
                return [ScriptedTransport.status(id, files.withLock { $0.removeValue(forKey: name) } == nil ? 2 : 0)]
            default:
                guard let to = (try? fields.string()).map({ String(decoding: $0, as: UTF8.self) }) else { return [] }
                return [ScriptedTransport.status(id, onRename(name, to) ? 4 : rename(name, to))]
            }
        }

        private func rename(_ from: String, _ to: String) -> UInt32 {
            files.withLock { files in
                guard let text = files[from] else { return 2 }
                guard files[to] == nil else { return 4 }
                files[from] = nil
                files[to] = text
                return 0
            }
        }
    }

    private static let element = ElementSpec(id: "1", source: "/s", destination: "/d/to", partSeed: "seed")

    private func publish(_ names: Names) async throws {
        let target = try RemoteEnd(try await names.place(), "/d/to", of: Self.element)
        _ = try await target.sibling("part").publish(as: target, replace: true)
    }

    @Test func theNewOneComes() async throws {
        let names = Names(["/d/to": "old", "/d/part": "new"]) { _, _ in false }
        try await publish(names)
        #expect(names.now == ["/d/to": "new"])
    }

    /// What gave way is there again, and the part too, for the next attempt.
    @Test func theOldOneIsBackWhereTheNewOneDoesNotCome() async throws {
        let names = Names(["/d/to": "old", "/d/part": "new"]) { from, _ in from == "/d/part" }
        await #expect(throws: BackendFailure.self) { try await publish(names) }
        #expect(names.now == ["/d/to": "old", "/d/part": "new"])
    }

    /// A cancel when the old one has stepped aside does not leave it there.
    @Test(arguments: [false, true]) func aCancelDoesNotStopItHalfway(_ isRefused: Bool) async throws {
        let running = Mutex<Task<Void, any Error>?>(nil)
        let names = Names(["/d/to": "old", "/d/part": "new"]) { from, _ in
            if from == "/d/to" { running.withLock { $0 }?.cancel() }
            return isRefused && from == "/d/part"
        }
        let began = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in began.stream { break }
            try await publish(names)
        }
        running.withLock { $0 = task }
        began.continuation.yield()
        let result = await task.result
        if isRefused {
            #expect(throws: (any Error).self) { try result.get() }
            #expect(names.now == ["/d/to": "old", "/d/part": "new"])
        } else {
            #expect(names.now == ["/d/to": "new"])
        }
    }

    /// Somebody else's file that came in between stays, and nothing of ours does but the part.
    @Test func whatCameInBetweenStays() async throws {
        let box = Mutex<Names?>(nil)
        let names = Names(["/d/to": "old", "/d/part": "new"]) { from, _ in
            if from == "/d/part" { box.withLock { $0 }?.files.withLock { $0["/d/to"] = "other" } }
            return false
        }
        box.withLock { $0 = names }
        defer { box.withLock { $0 = nil } }
        await #expect(throws: BackendFailure.self) { try await publish(names) }
        #expect(names.now == ["/d/to": "other", "/d/part": "new"])
    }

    /// As OpenSSH does it without its extension; what an attempt that was cut off left aside is undone by the next.
    @Test func againstARealServer() async throws {
        try await Bench.with(sftpArguments: "-P posix-rename") { bench in
            let different = bench.batch(.copy, ["overwrite": "different"])
            try bench.write("from", "content")
            try bench.write("to", "old")
            #expect(try await bench.one(different, "from", "to").result.isOK)
            #expect(bench.text("to") == "content" && bench.parts() == [])
            let end = try RemoteEnd(
                try await Names([:]) { _, _ in false }.place(), "to",
                of: ElementSpec(id: "e", source: "from", partSeed: "seed"))
            let aside = (end.aside as NSString).lastPathComponent
            // Cut off when the old one had stepped aside; then when the new one had come.
            try bench.write(aside, "older")
            #expect(unlink(bench.root + "/to") == 0)
            let (undone, outcome) = try await bench.one(bench.batch(.copy), "from", "to", attempt: 2)
            #expect(undone.errorClass == .exists && outcome.log.contains("has its old content again"), "\(undone)")
            #expect(bench.text("to") == "older" && bench.parts() == [])
            #expect(try await bench.one(different, "from", "to", attempt: 2).result.isOK)
            try bench.write(aside, "older")
            #expect(try await bench.one(different, "from", "to", attempt: 3).result.isOK)
            #expect(bench.text("to") == "content" && bench.parts() == [])
        }
    }
}
