import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// The protocol over rclone's own backends.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct RemoteTests {
    @Test func aRemoteOfTheCredentialsFile() async throws {
        try await Bench.with { bench in
            let config = try bench.local("config", Data("[mine]\ntype = local\n".utf8))
            chmod(config, 0o600)
            let file = try bench.local("file", Data("content".utf8))
            let remote = "mine:\(bench.root)/below"
            let put = try await bench.one(.put, file, "/a/b", remote: remote, config: config)
            #expect(put.result.isOK, "\(put.result)")
            #expect(bench.data("below/a/b") == Data("content".utf8))
            let without = try await bench.one(.put, file, "/a/b", remote: remote)
            #expect(without.result.errorClass == .invalid, "\(without.result)")
        }
    }

    /// Neither the password of the remote control nor what a remote says stands where every user of the machine reads.
    @Test func nothingSecretIsAnArgument() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data(count: 8 << 20))
            let remote = ":local,description=hunter2:\(bench.root)"
            let seen = Mutex<[String]>([])
            let outcome = try await bench.one(
                .put, file, "/to", options: ["bandwidth": .int(8 << 20)], remote: remote
            ) { event, run in
                guard case .progress = event else { return }
                let lines = (Bench.children(of: run.pid) + [run.pid]).compactMap {
                    FileManager.default.contents(atPath: "/proc/\($0)/cmdline")
                }
                seen.withLock { $0 += lines.map { String(decoding: $0, as: UTF8.self) } }
            }
            #expect(outcome.result.isOK, "\(outcome.result)")
            let lines = seen.withLock { $0 }
            #expect(lines.contains { $0.hasSuffix("rclone\0rcd\0") }, "\(lines)")
            #expect(!lines.contains { $0.contains("hunter2") || $0.contains("rc-pass") })
        }
    }

    /// Objects that appear whole: no part, no rename.
    @Test func aBucket() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data("content".utf8))
            for options in [["verify": "checksum"], ["verify": "checksum", "bandwidth": 1024]] as [[String: JSONValue]]
            {
                let outcome = try await bench.one(.put, file, "/a/b", options: options, remote: ":memory:bucket")
                #expect(outcome.result.isOK, "\(outcome.result)")
                #expect(outcome.result.checksum == "md5:9a0364b9e99bb480dd25e1f0284c8555")
            }
        }
    }

    /// The service tells what it has: nobody reads the object again.
    @Test(arguments: [nil, 1 << 20]) func theServicesOwnChecksum(_ bandwidth: Int?) async throws {
        let moto = try await MotoServer.start()
        try await Bench.with { bench in
            let file = try bench.local("file", Data("content".utf8))
            var options: [String: JSONValue] = ["verify": "checksum"]
            options["bandwidth"] = bandwidth.map { .int($0) }
            let remote =
                ":s3,provider=Other,region=us-east-1,force_path_style=true,endpoint='\(moto.url)',"
                + "access_key_id='\(MotoServer.accessKey)',secret_access_key='\(MotoServer.secretKey)':"
                + MotoServer.bucket
            let put = try await bench.one(.put, file, "/a/b", options: options, remote: remote)
            #expect(put.result.checksum == "md5:9a0364b9e99bb480dd25e1f0284c8555", "\(put.result)")
            #expect(moto.log.contains("\"PUT /\(MotoServer.bucket)/a/b"), "\(moto.log)")
            #expect(!moto.log.contains("\"GET /\(MotoServer.bucket)/a/b"), "\(moto.log)")
            // What is wrong never appears, whoever moves it.
            let wrong = "md5:" + String(repeating: "0", count: 32)
            let bad = try await bench.one(.put, file, "/c", checksum: wrong, options: options, remote: remote)
            #expect(bad.result.errorClass == .checksum, "\(bad.result)")
            #expect(try await moto.keys() == ["a/b"])
        }
        await moto.kill()
    }

    /// Also where the bytes pass through haul.
    @Test(arguments: [nil, 1 << 20]) func timesAreKept(_ bandwidth: Int?) async throws {
        try await Bench.with { bench in
            let modified = Date(timeIntervalSince1970: 784_111_777)
            for (name, content) in [("file", Data("content".utf8)), ("empty", Data())] {
                let file = try bench.local(name, content)
                try FileManager.default.setAttributes([.modificationDate: modified], ofItemAtPath: file)
                let options: [String: JSONValue] = bandwidth.map { ["bandwidth": .int($0)] } ?? [:]
                let put = try await bench.one(.put, file, "/\(name)", options: options)
                #expect(put.result.isOK, "\(put.result)")
                let there = try FileManager.default.attributesOfItem(atPath: "\(bench.root)/\(name)")
                #expect(there[.modificationDate] as? Date == modified)
                #expect(bench.data(name) == content)
            }
        }
    }

    @Test(arguments: [nil, 4 << 20]) func aCancelLeavesNothing(_ bandwidth: Int?) async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data(count: 256 << 20))
            let options: [String: JSONValue] = bandwidth.map { ["bandwidth": .int($0)] } ?? [:]
            let outcome = try await bench.one(.put, file, "/to", options: options) { event, run in
                if case .progress = event { await run.cancel("e") }
            }
            #expect(outcome.result.errorClass == .interrupted, "\(outcome.result)")
            #expect(try bench.names() == [])
        }
    }

    @Test func anRcloneThatIsKilledMeanwhile() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data(count: 64 << 20))
            let slow: [String: JSONValue] = ["bandwidth": .int(4 << 20)]
            let outcome = try await bench.one(.put, file, "/to", options: slow) { event, run in
                guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
                for child in Bench.children(of: run.pid) { kill(child, SIGKILL) }
            }
            let errorClass = try #require(outcome.result.errorClass)
            #expect(!errorClass.isPermanent, "\(outcome.result)")
            #expect(bench.data("to") == nil)
            let second = try await bench.one(.put, file, "/to", attempt: 2, last: true)
            #expect(second.result.isOK, "\(second.result)")
            #expect(try bench.names() == ["to"])
        }
    }

    /// rclone makes what is missing of a way without being asked.
    @Test func parentsAreMadeOnWishAlone() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data("x".utf8))
            let alone: [String: JSONValue] = ["parents": false]
            #expect(try await bench.one(.put, file, "/none/a", options: alone).result.errorClass == .notFound)
            #expect(try await bench.one(.mkdir, "/none/a", options: alone).result.errorClass == .notFound)
            #expect(try await bench.one(.put, file, "/a", options: alone).result.isOK)
            #expect(try await bench.one(.rename, "/a", "/none/b", options: alone).result.errorClass == .notFound)
            #expect(try bench.names() == ["a"])
        }
    }

    @Test func nobodyAnswers() async throws {
        try await Bench.with { bench in
            let outcome = try await bench.one(.list, "/", remote: ":webdav,url='http://127.0.0.1:1/':")
            #expect(outcome.result.errorClass == .connect, "\(outcome.result)")
            let unknown = try await bench.one(.list, "/", remote: "nobody:")
            #expect(unknown.result.errorClass == .invalid, "\(unknown.result)")
        }
    }

    @Test func checksums() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data("Wikipedia".utf8))
            // One that rclone has none of: read back.
            let good = try await bench.one(.put, file, "/good", checksum: "adler32:11e60398")
            #expect(good.result.isOK, "\(good.result)")
            let bad = try await bench.one(.put, file, "/bad", checksum: "sha1:" + String(repeating: "0", count: 40))
            #expect(bad.result.errorClass == .checksum, "\(bad.result)")
            let back = try await bench.one(
                .get, "/good", bench.folder + "/back", options: ["verify": "checksum", "checksum_algorithm": "adler32"])
            #expect(back.result.checksum == "adler32:11e60398", "\(back.result)")
            #expect(try bench.names() == ["good"])
        }
    }
}
