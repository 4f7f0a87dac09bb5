import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

/// copy, get and put against XRootD's own server.
@Suite(.serialized, .timeLimit(.minutes(5)))
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
