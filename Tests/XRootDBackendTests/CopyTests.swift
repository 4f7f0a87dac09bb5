import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

@testable import haul_xrootd

/// copy, get and put against XRootD's own server.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct CopyTests {
    @Test func fromServerToServer() async throws {
        try await Bench.with { here in
            try await Bench.with { there in
                let content = Bench.noise(3_000_000)
                try here.write("from", content)
                for (third, told) in [("first", true), ("only", true), ("never", false)] {
                    let outcome = try await here.one(
                        .copy, "/from", "/\(third)/to", options: ["third_party": .string(third), "verify": "checksum"],
                        to: [there.server.endpoint])
                    #expect(outcome.result.isOK, "\(third): \(outcome.result)")
                    #expect(outcome.log.contains("from server to server") == told, "\(third): \(outcome.log)")
                    #expect(outcome.result.checksum?.hasPrefix("md5:") == true)
                    #expect(there.data("\(third)/to") == content)
                    #expect(try there.names(third) == ["to"])
                }
            }
        }
    }

    /// One xrdcp shows both servers what it has: with two credentials each of them is spoken to with its own alone.
    @Test func nobodySeesTheOthersCredential() async throws {
        try await Bench.with { here in
            try await Bench.with { there in
                let content = Bench.noise(200_000)
                try here.write("from", content)
                let files = try ["one", "same", "two"].map { try here.local($0, Data(($0 == "two" ? "b" : "a").utf8)) }
                files.forEach { chmod($0, 0o600) }
                for (second, third, result) in [
                    (files[1], "first", ErrorClass?.none), (files[1], "only", nil), (files[1], "never", nil),
                    (files[2], "first", nil), (files[2], "only", .invalid), (files[2], "never", nil),
                ] {
                    let name = "\(second == files[1] ? "same" : "other")-\(third)"
                    let outcome = try await here.one(
                        .copy, "/from", "/\(name)", options: ["third_party": .string(third), "verify": "checksum"],
                        to: [there.server.endpoint], tokens: (files[0], second))
                    #expect(outcome.result.errorClass == result, "\(name): \(outcome.result)")
                    #expect(there.data(name) == (result == nil ? content : nil), "\(name)")
                    let direct = second == files[1] && third != "never"
                    #expect(outcome.log.contains("from server to server") == direct, "\(name): \(outcome.log)")
                }
            }
        }
    }

    /// It is the contents that count, and what cannot be read is like nothing.
    @Test func credentialsThatAreTheSame() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-xrootd-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, content) in [("one", "a"), ("same", "a"), ("two", "b")] {
            try content.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        func site(_ credentials: [String: String]) throws -> XRootDSite {
            let paths = credentials.mapValues { "\(folder)/\($0)" }
            return try XRootDSite(
                SiteSpec(site: "s", endpoints: ["127.0.0.1:1"], credentials: paths), scratch: folder)
        }
        let one = try site(["bearer": "one"])
        for (other, shows) in [
            (["bearer": "one"], true), (["bearer": "same"], true), (["bearer": "two"], false), ([:], false),
            (["bearer": "none"], false), (["x509-proxy": "one"], false),
            (["bearer": "one", "x509-proxy": "two"], false),
        ] {
            #expect(try one.showsTheSame(as: site(other)) == shows, "\(other)")
            #expect(try site(other).showsTheSame(as: one) == shows, "\(other)")
        }
        #expect(try site([:]).showsTheSame(as: site([:])))
        #expect(try !site(["bearer": "none"]).showsTheSame(as: site(["bearer": "none"])))
    }

    /// What a server says of a file counts, though what arrived is well: nobody reads it instead.
    @Test func theServersOwnChecksum() async throws {
        try await Bench.with { bench in
            let (folder, tool) = ("\(bench.folder)/lying", "\(bench.folder)/sum")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "#!/bin/sh\necho 0badcafe\n".write(toFile: tool, atomically: true, encoding: .utf8)
            chmod(tool, 0o755)
            let server = try await XRootD.start(root: folder, more: "xrootd.chksum max 4 adler32 \(tool)")
            let file = try bench.local("file", Data("Wikipedia".utf8))
            let outcome = try await bench.one(
                .put, file, "/to", options: ["verify": "checksum", "checksum_algorithm": "adler32"],
                endpoints: [server.endpoint])
            await server.stop()
            #expect(outcome.result.errorClass == .checksum, "\(outcome.result)")
            #expect(outcome.result.reason?.contains("0badcafe") == true, "\(outcome.result)")
        }
    }

    @Test func throughTheWorkerWhereAServerCannot() async throws {
        try await Bench.with { here in
            let folder = here.folder + "/plain"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let plain = try await XRootD.start(root: folder, more: "ofs.tpc pgm /bin/false")
            let content = Bench.noise(200_000)
            try here.write("from", content)
            let outcome = try await here.one(.copy, "/from", "/to", to: [plain.endpoint])
            let only = try await here.one(
                .copy, "/from", "/only", options: ["third_party": "only"], to: [plain.endpoint])
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            await plain.stop()
            #expect(outcome.result.isOK, "\(outcome.result)")
            #expect(outcome.log.contains("through the worker"), "\(outcome.log)")
            #expect(!only.result.isOK)
            #expect(names == ["to"])
        }
    }

    @Test func aDownloadGoesOn() async throws {
        try await Bench.with { bench in
            let content = Bench.noise(5_000_000)
            try bench.write("from", content)
            let facts = try FileManager.default.attributesOfItem(atPath: bench.root + "/from")
            let modified = try #require(facts[.modificationDate] as? Date)
            let part = try PartFile.name(
                seed: "seed", size: content.count, modified: Int(modified.timeIntervalSince1970.rounded(.down)))
            var damaged = Data(content.prefix(2_000_000))
            damaged[1_999_999] ^= 1
            for (name, left, goesOn) in [
                ("good", content.prefix(2_000_000), true), ("whole", content, true), ("damaged", damaged, false),
                ("longer", content + Data(count: 9), false),
            ] {
                let folder = "\(bench.folder)/\(name)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try left.write(to: URL(fileURLWithPath: "\(folder)/\(part)"))
                let outcome = try await bench.one(
                    .get, "/from", "\(folder)/to", attempt: 2, options: ["verify": "checksum"])
                #expect(outcome.result.isOK, "\(name): \(outcome.result)")
                #expect(outcome.log.contains("going on from byte") == goesOn, "\(name): \(outcome.log)")
                #expect(FileManager.default.contents(atPath: "\(folder)/to") == content, "\(name)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["to"])
            }
        }
    }

    @Test func checksums() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data("Wikipedia".utf8))
            let good = try await bench.one(.put, file, "/good", checksum: "adler32:11e60398")
            #expect(good.result.isOK, "\(good.result)")
            #expect(good.result.checksum == "adler32:11e60398")
            let bad = try await bench.one(.put, file, "/bad", checksum: "adler32:11e60399")
            #expect(bad.result.errorClass == .checksum, "\(bad.result)")
            // No checksum of the server's: computed on the worker.
            let sha = try await bench.one(
                .put, file, "/sha", options: ["verify": "checksum", "checksum_algorithm": "sha256"])
            #expect(sha.result.isOK && sha.result.checksum?.hasPrefix("sha256:") == true, "\(sha.result)")
            #expect(try bench.names() == ["good", "sha"])
        }
    }

    @Test func permissionsAreKept() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Data("x".utf8))
            chmod(file, 0o640)
            #expect(try await bench.one(.put, file, "/to").result.isOK)
            var status = stat()
            #expect(stat(bench.root + "/to", &status) == 0 && status.st_mode & 0o777 == 0o640)
        }
    }

    @Test func bandwidthAndStreams() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Bench.noise(6 << 20))
            let began = ContinuousClock.now
            let outcome = try await bench.one(.put, file, "/to", options: ["bandwidth": .int(2 << 20), "streams": 4])
            #expect(outcome.result.isOK, "\(outcome.result)")
            #expect(ContinuousClock.now - began > .milliseconds(1500))
            #expect(bench.data("to") == FileManager.default.contents(atPath: file))
        }
    }

    /// The part that the worker's death left is written anew, and never stands under the final name.
    @Test(arguments: [nil, 4 << 20]) func aKilledUpload(_ bandwidth: Int?) async throws {
        try await Bench.with { bench in
            let content = Bench.noise(24 << 20)
            let file = try bench.local("file", content)
            let slow: [String: JSONValue] = bandwidth.map { ["bandwidth": .int($0)] } ?? [:]
            let first = try await bench.one(.put, file, "/to", options: slow) { event, run in
                guard case .progress(_, let progress) = event else { return }
                if progress.transferred > 0 || bandwidth == nil { kill(run.pid, SIGKILL) }
            }
            #expect(first.result.errorClass == .backend, "\(first.result)")
            #expect(bench.data("to") == nil)
            let second = try await bench.one(.put, file, "/to", attempt: 2, last: true)
            #expect(second.result.isOK, "\(second.result)")
            #expect(bench.data("to") == content)
            #expect(try bench.names() == ["to"])
        }
    }

    @Test func aServerThatIsKilledMeanwhile() async throws {
        try await Bench.with { bench in
            let file = try bench.local("file", Bench.noise(24 << 20))
            let pid = bench.server.pid
            let slow: [String: JSONValue] = ["bandwidth": .int(4 << 20)]
            let began = ContinuousClock.now
            let outcome = try await bench.one(.put, file, "/to", options: slow) { event, _ in
                guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
                kill(-pid, SIGKILL)
            }
            let errorClass = try #require(outcome.result.errorClass)
            #expect(!errorClass.isPermanent, "\(outcome.result)")
            #expect(ContinuousClock.now - began < .seconds(60))
            #expect(bench.data("to") == nil)
        }
    }

    @Test func aFullDisk() async throws {
        guard let disk = TinyDisk.open(kibibytes: 2048) else { return }
        defer { disk.remove() }
        try await Bench.with(root: disk.root) { bench in
            let file = try bench.local("file", Bench.noise(4 << 20))
            let outcome = try await bench.one(.put, file, "/to")
            #expect(outcome.result.errorClass == .noSpace, "\(outcome.result)")
            #expect(try bench.names() == [])
        }
    }
}
