import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// What goes wrong behind rclone, and on the worker's own disk.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct FaultTests {
    /// Also where the bytes pass through haul.
    @Test(arguments: [nil, 64 << 20]) func aFullDisk(_ bandwidth: Int?) async throws {
        guard let disk = TinyDisk.open(kibibytes: 1024) else { return }
        defer { disk.remove() }
        let options: [String: JSONValue] = bandwidth.map { ["bandwidth": .int($0)] } ?? [:]
        try await Bench.with { bench in
            let file = try bench.local("file", Data((0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 3) }))
            let put = try await bench.one(.put, file, "/to", options: options, remote: ":local:\(disk.root)")
            #expect(put.result.errorClass == .noSpace, "\(put.result)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.root) == [])
            #expect(try await bench.one(.put, file, "/from").result.isOK)
            let got = try await bench.one(.get, "/from", disk.root + "/to", options: options)
            #expect(got.result.errorClass == .noSpace, "\(got.result)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.root) == [])
        }
    }

    /// As root this process reads everything; apache's own user does not.
    @Test func whatTheRemoteRefuses() async throws {
        guard getuid() == 0 else { return print("NOT TESTED: files of another user. It takes root.") }
        try await Bench.with { bench in
            let server = try await Apache.start(root: bench.root)
            let remote = ":webdav,url='http://\(server.endpoint)/':"
            let file = try bench.local("file", Data("x".utf8))
            try FileManager.default.createDirectory(
                atPath: bench.root + "/closed", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
            try Data("secret".utf8).write(to: URL(fileURLWithPath: bench.root + "/closed/secret"))
            chmod(bench.root + "/closed/secret", 0o600)
            let got = try await bench.one(.get, "/closed/secret", bench.folder + "/got", remote: remote)
            let put = try await bench.one(.put, file, "/closed/to", remote: remote)
            let made = try await bench.one(.mkdir, "/closed/d", remote: remote)
            let removed = try await bench.one(.remove, "/closed/secret", remote: remote)
            await server.stop()
            for (what, outcome) in [("get", got), ("mkdir", made), ("remove", removed)] {
                #expect(outcome.result.errorClass == .permission, "\(what): \(outcome.result)")
            }
            // apache answers such a PUT with 500, which may mean anything.
            #expect(put.result.errorClass == .unknown, "\(put.result)")
            #expect(try bench.names("closed") == ["secret"])
            #expect(!FileManager.default.fileExists(atPath: bench.folder + "/got"))
        }
    }

    @Test func aServerThatIsKilledMeanwhile() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data((0..<(24 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 7) }))
            for operation in [ProtocolOperation.put, .get] {
                let server = try await Apache.start(root: bench.root)
                let pid = server.pid
                let (from, to) = operation == .put ? (file, "/to") : ("/to", bench.folder + "/back/file")
                let remote = ":webdav,url='http://\(server.endpoint)/':"
                let cut = try await bench.one(
                    operation, from, to, options: ["bandwidth": .int(8 << 20)], remote: remote
                ) { event, _ in
                    guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
                    kill(-pid, SIGKILL)
                }
                await server.stop()
                #expect(cut.result.errorClass?.isPermanent == false, "\(operation): \(cut.result)")
                if operation == .put { #expect(bench.data("to") == nil) }
                #expect(!FileManager.default.fileExists(atPath: bench.folder + "/back/file"))
                let next = try await Apache.start(root: bench.root)
                let again = try await bench.one(
                    operation, from, to, attempt: 2, last: true,
                    remote: ":webdav,url='http://\(next.endpoint)/':")
                await next.stop()
                #expect(again.result.isOK, "\(operation): \(again.result)")
                // What apache was writing to is its own, and stays.
                #expect(try bench.names().filter { !$0.hasPrefix(".davfs.tmp") } == ["to"])
            }
            #expect(FileManager.default.contentsEqual(atPath: file, andPath: bench.folder + "/back/file"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/back") == ["file"])
        }
    }
}
