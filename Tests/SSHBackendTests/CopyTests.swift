import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// COPY, put and get against OpenSSH's server.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CopyTests {
    @Test func goesOnFromWhatAKilledBackendLeft() async throws {
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 192)
            let (first, _) = try await bench.one(bench.batch(.copy), "large", "copy") { event, run in
                guard case .progress = event, let run else { return }
                try await bench.partHasGrown()
                kill(run.pid, SIGKILL)
            }
            #expect(first.errorClass == .backend, "\(first)")
            #expect(!bench.exists("copy"))
            #expect(bench.parts().count == 1)
            let checked = bench.batch(.copy, ["verify": "checksum"])
            let (second, outcome) = try await bench.one(checked, "large", "copy", attempt: 2)
            #expect(second.isOK, "\(second)")
            #expect(outcome.log.contains("going on from byte"), "\(outcome.log)")
            #expect(second.transferred == 192 << 20)
            #expect(second.checksum?.hasPrefix("md5:") == true)
            #expect(bench.data("copy") == bench.data("large"))
        }
    }

    @Test func aPartIsGoneOnFromOrStartedAnew() async throws {
        try await Bench.with { bench in
            let content = Data((0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
            try bench.write("from", content)
            let part = try bench.partName("from")
            var damaged = content.prefix(8_000_000)
            damaged[8_000_000 - (4 << 20) - 1] ^= 1
            // Of the WRITEs that were on their way some were carried out, others not.
            var holed = content.prefix(8_000_000)
            holed.replaceSubrange(5_000_000..<6_000_000, with: Data(count: 1_000_000))
            let cases: [(name: String, part: Data, goesOn: Bool)] = [
                ("good", content.prefix(8_000_000), true), ("whole", content, true), ("damaged", damaged, false),
                ("holed", holed, true), ("short", content.prefix(4_000_000), false),
                ("longer", content + Data(count: 9), false), ("empty", Data(), false),
            ]
            for (name, left, goesOn) in cases {
                try bench.write("\(name)/\(part)", left)
                let (result, outcome) = try await bench.one(
                    bench.batch(.copy, ["verify": "checksum"]), "from", "\(name)/to", attempt: 2)
                #expect(result.isOK, "\(name): \(result)")
                #expect(outcome.log.contains("going on from byte") == goesOn, "\(name): \(outcome.log)")
                #expect(bench.data("\(name)/to") == content, "\(name)")
            }
        }
    }

    /// Links, directories and devices under the part's name are nobody's part.
    @Test func aPartThatIsNoFileIsLeftAlone() async throws {
        try await Bench.with { bench in
            try bench.write("from", "content")
            try bench.write("precious", "precious")
            try bench.makeDirectory("to")
            let part = "to/" + (try bench.partName("from"))
            try bench.link(part, to: bench.root + "/precious")
            let (result, _) = try await bench.one(bench.batch(.copy), "from", "to/copy")
            #expect(!result.isOK)
            #expect(bench.text("precious") == "precious")
            #expect(!bench.exists("to/copy"))
            if bench.exists(part) { try FileManager.default.removeItem(atPath: bench.root + "/" + part) }
        }
    }

    @Test func aCancelIsQuickAndRemovesThePart() async throws {
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 256)
            let cancelled = Mutex<ContinuousClock.Instant?>(nil)
            let took = Mutex<Duration?>(nil)
            let running = try await bench.start(bench.batch(.copy)) { event, run in
                switch event {
                case .progress:
                    guard cancelled.withLock({ $0 }) == nil else { return }
                    cancelled.withLock { $0 = .now }
                    await run?.cancel("e")
                case .result:
                    took.withLock { took in took = cancelled.withLock { $0 }.map { ContinuousClock.now - $0 } }
                default: break
                }
            }
            // The input stays open: a cancel goes over it.
            await running.run?.add(ElementSpec(id: "e", source: "large", destination: "copy"))
            try await eventually("the element ends") { running.outcome.results["e"] != nil }
            let result = try #require(await running.end().results["e"])
            #expect(result.errorClass == .interrupted)
            #expect(try #require(took.withLock { $0 }) < .seconds(5))
            #expect(!bench.exists("copy"))
            #expect(bench.parts() == [])
        }
    }

    @Test(arguments: ["", "-P posix-rename"]) func overwrite(_ arguments: String) async throws {
        try await Bench.with(sftpArguments: arguments) { bench in
            func copy(_ overwrite: String, _ verify: String, onto old: String) async throws -> (ElementResult, String?)
            {
                try bench.write("to", old)
                let options: [String: JSONValue] = ["overwrite": .string(overwrite), "verify": .string(verify)]
                let (result, _) = try await bench.one(bench.batch(.copy, options), "from", "to")
                return (result, bench.text("to"))
            }
            try bench.write("from", "content")
            for (overwrite, verify, old, failure, after) in [
                ("never", "size", "other", ErrorClass.exists, "other"), ("never", "size", "CONTENT", nil, "CONTENT"),
                ("never", "checksum", "CONTENT", .exists, "CONTENT"), ("never", "checksum", "content", nil, "content"),
                ("different", "size", "other", nil, "content"), ("different", "size", "CONTENT", nil, "CONTENT"),
                ("different", "checksum", "CONTENT", nil, "content"), ("always", "size", "CONTENT", nil, "content"),
                ("always", "none", "other", nil, "content"),
            ] {
                let (result, text) = try await copy(overwrite, verify, onto: old)
                #expect(result.errorClass == failure, "\(overwrite) \(verify) \(old): \(result)")
                #expect(text == after, "\(overwrite) \(verify) \(old)")
            }
            try bench.makeDirectory("directory")
            let (onto, _) = try await bench.one(bench.batch(.copy, ["overwrite": "always"]), "from", "directory")
            #expect(onto.errorClass == .exists)
        }
    }

    @Test func whatTheElementSaysOfItsContentIsChecked() async throws {
        try await Bench.with { bench in
            try bench.write("from", "content")
            let right = "md5:9a0364b9e99bb480dd25e1f0284c8555"
            let (good, _) = try await bench.one(bench.batch(.copy), "from", "good", checksum: right)
            #expect(good.isOK, "\(good)")
            #expect(good.checksum == right)
            let (upper, _) = try await bench.one(
                bench.batch(.copy), "from", "upper", checksum: "md5:" + right.dropFirst(4).uppercased())
            #expect(upper.isOK, "\(upper)")
            let (bad, _) = try await bench.one(
                bench.batch(.copy), "from", "bad", checksum: "md5:" + String(repeating: "0", count: 32))
            #expect(bad.errorClass == .checksum)
            #expect(!bench.exists("bad"))
            // Equal in size only: without a look at it the element would be ok.
            try bench.write("there", "CONTENT")
            let (never, _) = try await bench.one(bench.batch(.copy), "from", "there", checksum: right)
            #expect(never.errorClass == .exists, "\(never)")
            #expect(bench.text("there") == "CONTENT")
            let (same, outcome) = try await bench.one(bench.batch(.copy), "from", "good", checksum: right)
            #expect(same.isOK && same.checksum == right)
            #expect(outcome.log.contains("equal in size and checksum"))
            let different = bench.batch(.copy, ["overwrite": "different"])
            let (mended, _) = try await bench.one(different, "from", "there", checksum: right)
            #expect(mended.isOK, "\(mended)")
            #expect(bench.text("there") == "content")
            // What cannot be checked is not taken for checked.
            let unknown = try await bench.one(bench.batch(.copy), "from", "new", checksum: "crc99:00").result
            #expect(unknown.errorClass == .invalid && unknown.reason?.contains("crc99") == true)
            #expect(!bench.exists("new"))
        }
    }

    /// What was finished but for its name has its source's permissions. As root any file can be written: another login
    /// is taken then.
    @Test(arguments: [0o444, 0o000]) func aReadOnlyPartIsGoneOnFrom(_ mode: Int) async throws {
        try await Bench.with { bench in
            bench.admitOthers()
            try bench.write("from", "content")
            chmod(bench.root + "/from", 0o444)
            let part = "to/" + (try bench.partName("from"))
            try bench.write(part, "cont")
            var site = bench.site()
            if getuid() == 0 {
                site = bench.site(["user": "nobody"])
                let nobody = try #require(getpwnam("nobody"))
                for path in ["to", part] {
                    chown(bench.root + "/" + path, nobody.pointee.pw_uid, nobody.pointee.pw_gid)
                }
            }
            chmod(bench.root + "/" + part, mode_t(mode))
            let (result, _) = try await bench.one(bench.batch(.copy, site: site), "from", "to/copy", attempt: 2)
            #expect(result.isOK, "\(result)")
            #expect(bench.text("to/copy") == "content")
        }
    }

    @Test func symbolicLinks() async throws {
        try await Bench.with { bench in
            try bench.write("file", "content")
            try bench.link("link", to: "file")
            try bench.link("loop", to: "loop")
            try bench.link("nowhere", to: "missing")
            func copy(_ source: String, _ symlinks: String) async throws -> ErrorClass? {
                try await bench.one(bench.batch(.copy, ["symlinks": .string(symlinks)]), source, "to").result.errorClass
            }
            #expect(try await copy("link", "fail") == .invalid)
            #expect(try await copy("link", "skip") == .invalid)
            #expect(try await copy("loop", "follow") == .notFound)
            #expect(try await copy("nowhere", "follow") == .notFound)
            #expect(!bench.exists("to"))
            #expect(try await copy("link", "follow") == nil)
            #expect(bench.text("to") == "content")
            // A link at the destination gives way itself; what it leads to stays.
            try bench.write("precious", "precious")
            try bench.link("way", to: "precious")
            let (result, _) = try await bench.one(bench.batch(.copy, ["overwrite": "always"]), "file", "way")
            #expect(result.isOK, "\(result)")
            #expect(bench.text("precious") == "precious")
            #expect(bench.text("way") == "content")
        }
    }

    @Test func modeAndTimeAreKept() async throws {
        try await Bench.with { bench in
            for (name, mode) in [("a", 0o640), ("b", 0o755), ("c", 0o444), ("d", 0o4711)] {
                try bench.write(name, name)
                chmod(bench.root + "/" + name, mode_t(mode))
                try bench.setModified(name, 1_234_567_890)
                let (result, _) = try await bench.one(bench.batch(.copy), name, "new/deep/\(name)")
                #expect(result.isOK, "\(result)")
                let status = try #require(bench.status("new/deep/\(name)"))
                #expect(Int(status.st_mode) & 0o7777 == mode & 0o777, "\(name)")
                #expect(status.st_mtim.tv_sec == 1_234_567_890)
            }
            let (orphan, _) = try await bench.one(bench.batch(.copy, ["parents": false]), "a", "none/a")
            #expect(orphan.errorClass == .notFound, "\(orphan)")
        }
    }

    @Test func oddNames() async throws {
        try await Bench.with { bench in
            let names = [
                "new\nline", "-rf", " blanks ", "*?[a]", "ü→𝄞", "\"quoted'$(id)`", "back\\slash", "~",
                String(repeating: "é", count: 127) + "x",
            ]
            for name in names { try bench.write("from/" + name, name) }
            let elements = names.enumerated().map {
                ElementSpec(id: "\($0)", source: "from/\($1)", destination: "to/\($1)")
            }
            let outcome = try await bench.run(bench.batch(.copy), elements)
            for (index, name) in names.enumerated() {
                #expect(outcome.results["\(index)"]?.isOK == true, "\(name): \(outcome.results)")
                #expect(bench.text("to/" + name) == name)
            }
            let long = "from/" + String(repeating: "x", count: 256)
            #expect(try await bench.one(bench.batch(.copy), long, "to/y").result.errorClass == .invalid)
            #expect(try await bench.one(bench.batch(.copy), "from/-rf", long).result.errorClass == .invalid)
        }
    }

    @Test func putAndGet() async throws {
        try await Bench.with { bench in
            try bench.write("from", "content")
            let local = bench.folder + "/spool/file"
            let got = try await bench.one(bench.batch(.get, ["verify": "checksum"]), "from", local).result
            #expect(got.isOK, "\(got)")
            #expect(FileManager.default.contents(atPath: local) == Data("content".utf8))
            let put = try await bench.one(bench.batch(.put, ["verify": "checksum"]), local, "~/deep/to").result
            #expect(put.isOK, "\(put)")
            #expect(bench.text("deep/to") == "content")
            let missing = try await bench.one(bench.batch(.put), bench.folder + "/none", "x").result
            #expect(missing.errorClass == .notFound)
        }
    }

    /// As root any place can be written: another login is taken then.
    @Test func permissionDenied() async throws {
        try await Bench.with { bench in
            bench.admitOthers()
            try bench.write("closed/secret", "x")
            try bench.write("from", "x")
            chmod(bench.root + "/closed/secret", 0)
            chmod(bench.root + "/closed", 0o555)
            defer { chmod(bench.root + "/closed", 0o755) }
            let site = getuid() == 0 ? bench.site(["user": "nobody"]) : bench.site()
            for (source, destination) in [
                ("closed/secret", "closed/to"), ("from", "closed/to"), ("from", "closed/d/to"),
            ] {
                let (result, _) = try await bench.one(bench.batch(.copy, site: site), source, destination)
                #expect(result.errorClass == .permission, "\(source) \(destination): \(result)")
            }
            let (made, _) = try await bench.one(bench.batch(.mkdir, site: site), "closed/x")
            #expect(made.errorClass == .permission, "\(made)")
            let (removed, _) = try await bench.one(bench.batch(.remove, site: site), "closed/secret")
            #expect(removed.errorClass == .permission, "\(removed)")
            #expect(bench.exists("closed/secret"))
        }
    }

    @Test func theWorkersDiskIsFull() async throws {
        guard let disk = TinyDisk.open(kibibytes: 1024) else { return }
        defer { disk.remove() }
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 3)
            let (result, _) = try await bench.one(bench.batch(.get), "large", disk.root + "/to")
            #expect(result.errorClass == .noSpace, "\(result)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.root) == [])
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can mount the small disk that this fills"))
    func aFullDiskIsNoSpace() async throws {
        try await Bench.with { bench in
            try bench.makeDirectory("small")
            let disk = bench.root + "/small"
            let mount = try await Child.start(
                Command(executable: "/bin/mount", arguments: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]))
            let status = await mount.wait(atMost: .seconds(10))
            try #require(status?.isSuccess == true, "tmpfs cannot be mounted here")
            try bench.writeLarge("large", mebibytes: 3)
            let (result, _) = try await bench.one(bench.batch(.copy), "large", "small/copy")
            let left = bench.parts()
            let unmount = try await Child.start(Command(executable: "/bin/umount", arguments: ["-l", disk]))
            _ = await unmount.wait(atMost: .seconds(10))
            #expect(result.errorClass == .noSpace, "\(result)")
            #expect(left == [])
        }
    }
}
