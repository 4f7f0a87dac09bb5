import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

/// What is mounted below a site's root, with real mounts: each backend of a test has a mount namespace of its own, which goes,
/// mounts and all, with its last process. Takes root.
@Suite(.timeLimit(.minutes(6)))
struct MountTests {
    /// How a way is kept from mounts: by openat2(2), or, where there is none, name by name.
    enum Kernel: String, CaseIterable, Sendable { case now, withoutOpenat2 }

    /// A root with a bind mount of the same disk (`tree/bind`), a tmpfs (`tmpfs`, with `f` and `d`) and a bind mount of a
    /// single file (`single`).
    private struct Mounted {
        let site: LocalSite
        var kernel = Kernel.now
        var root: String { site.root }
        /// What stands behind the bind mount.
        var other: String { "\(site.folder.path)/other" }

        init(_ kernel: Kernel = .now) throws {
            (site, self.kernel) = (try LocalSite(), kernel)
            for path in [root + "/tree/bind", root + "/tmpfs", other + "/sub"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try site.write("precious", other + "/x")
            try site.write("below", other + "/sub/y")
            try site.write("", root + "/single")
            try site.write("own", root + "/tree/own")
        }

        private var mounting: String {
            """
            mount --bind '\(other)' '\(root)/tree/bind'
            mount --bind '\(site.outside)/secret' '\(root)/single'
            mount -t tmpfs -o size=64k tmpfs '\(root)/tmpfs'
            echo tmp > '\(root)/tmpfs/f'; mkdir '\(root)/tmpfs/d'
            exec "$@"
            """
        }

        /// Runs the rest of its arguments in a world without openat2 (a filter of seccomp(2): ENOSYS).
        private static let filter = """
            import ctypes, os, struct, sys
            code = [(0x20, 0, 0, 0), (0x15, 0, 1, 437), (6, 0, 0, 0x50000 | 38), (6, 0, 0, 0x7fff0000)]
            code = b"".join(struct.pack("HBBI", *line) for line in code)
            kept = ctypes.create_string_buffer(code, len(code))
            class Program(ctypes.Structure): _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]
            program, libc = Program(len(code) // 8, ctypes.addressof(kept)), ctypes.CDLL(None)
            assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
            os.execv(sys.argv[1], sys.argv[1:])
            """

        func run(
            _ operation: ProtocolOperation, _ elements: [ElementSpec], mounts: String, to other: String? = nil,
            _ options: [String: JSONValue] = [:]
        ) async throws -> Events {
            var local = try #require(Built.protocols()["local"])
            let python = try #require(ToolPath.find("python3"))
            let command = kernel == .now ? [local.executable] : [python, "-c", Self.filter, local.executable]
            local.arguments =
                ["--mount", "--propagation", "private", "/bin/sh", "-ec", mounting, "sh"] + command + local.arguments
            local.executable = try #require(ToolPath.find("unshare"))
            let events = Events()
            func site(_ mounts: String) -> SiteSpec {
                SiteSpec(site: "local-\(mounts)", options: ["mounts": .string(mounts)])
            }
            let batch = BatchSpec(
                operation: operation, options: options, source: site(mounts),
                destination: operation == .copy ? site(other ?? mounts) : nil,
                settings: ["roots": [.string(root)]], scratch: self.site.folder.path, spool: self.site.folder.path)
            let run = try await BackendRun.start(local, batch: batch) { events.add($0) }
            for element in elements { await run.add(element) }
            await run.finish()
            await run.wait()
            let here = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            #expect(!here.contains(self.site.folder.path), "nothing is mounted where the tests run")
            return events
        }

        func one(
            _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil, mounts: String = "stay",
            to other: String? = nil, _ options: [String: JSONValue] = [:]
        ) async throws -> ElementResult {
            let element = ElementSpec(id: "e", source: source, destination: destination)
            let events = try await run(operation, [element], mounts: mounts, to: other, options)
            return try #require(events.results("e").first, "the backend did not start: does this process run as root?")
        }

        /// The directories of a listing, each with its names.
        func list(_ path: String, mounts: String, _ options: [String: JSONValue] = [:]) async throws -> [String:
            [String]]
        {
            let events = try await run(.list, [ElementSpec(id: "e", source: path)], mounts: mounts, options)
            #expect(events.results("e").first?.isOK == true, "\(events.results("e"))")
            var directories: [String: [String]] = [:]
            for case .entries(_, let directory, let entries) in events.list {
                directories[directory, default: []] += entries.map(\.displayName)
            }
            return directories.mapValues { $0.sorted() }
        }

        /// Nothing behind the mounts was touched.
        func expectUntouched() throws {
            #expect(site.read(other + "/x") == "precious" && site.read(other + "/sub/y") == "below")
            #expect(try FileManager.default.contentsOfDirectory(atPath: other).sorted() == ["sub", "x"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: other + "/sub") == ["y"])
            #expect(site.read("\(site.outside)/secret") == "secret")
        }
    }

    private func expectRefused(_ result: ElementResult, _ what: String) {
        #expect(result.errorClass == .permission, "\(what): \(result)")
        #expect(result.reason?.contains("the site option `mounts` is `stay`") == true, "\(what): \(result)")
    }

    @Test(arguments: Kernel.allCases) func listings(_ kernel: Kernel) async throws {
        let world = try Mounted(kernel)
        let all = try await world.list("~", mounts: "cross")
        #expect(all["~/tree/bind"] == ["sub/", "x"] && all["~/tmpfs"] == ["d/", "f"])
        #expect(all["~/tree/bind/sub"] == ["y"])
        let own = try await world.list("~", mounts: "stay")
        #expect(
            own["~"]
                == ["dir", "file", "single", "tmpfs", "tree"].map { $0 == "file" || $0 == "single" ? $0 : $0 + "/" })
        #expect(own["~/tree"] == ["bind/", "own"] && own["~/tree/bind"] == [] && own["~/tmpfs"] == [])
        #expect(own.keys.allSatisfy { !$0.contains("sub") && !$0.contains("tmpfs/d") })
        for path in ["~/tree/bind", "~/tree/bind/", "~/tree/bind/sub", "\(world.root)/tmpfs", "tmpfs/d"] {
            expectRefused(try await world.one(.list, path), path)
        }
        #expect(try await world.list("~/tree/bind", mounts: "stay", ["depth": 0]) == ["~/tree": ["bind/"]])
    }

    /// Below a mount nothing is read, made, moved or removed; the mount points themselves stay.
    @Test(arguments: Kernel.allCases) func nothingPasses(_ kernel: Kernel) async throws {
        let world = try Mounted(kernel)
        let out = "\(world.site.folder.path)/got"
        let always: [String: JSONValue] = ["overwrite": "always"]
        for way in ["~/tree/bind", "tmpfs", "\(world.root)/tree/bind/sub"] {
            let name = way.hasSuffix("sub") ? "y" : way == "tmpfs" ? "f" : "x"
            let file = "\(way)/\(name)"
            expectRefused(try await world.one(.copy, file, "stolen", always), "copy \(file)")
            expectRefused(try await world.one(.get, file, out), "get \(file)")
            expectRefused(try await world.one(.copy, "file", file, always), "copy to \(file)")
            expectRefused(try await world.one(.copy, "file", "\(way)/new/deep", always), "copy to \(way)/new")
            expectRefused(try await world.one(.put, "\(world.root)/file", "\(way)/new", always), "put \(way)/new")
            expectRefused(try await world.one(.remove, file), "remove \(file)")
            expectRefused(try await world.one(.remove, "\(way)/d/"), "remove \(way)/d/")
            expectRefused(try await world.one(.rename, file, "moved", always), "rename \(file)")
            expectRefused(try await world.one(.rename, "file", "\(way)/moved", always), "rename to \(way)")
            expectRefused(try await world.one(.mkdir, "\(way)/made/deep"), "mkdir \(way)/made")
        }
        for point in ["~/tree/bind", "single"] {
            let path = point == "single" ? point : point + "/"
            expectRefused(try await world.one(.remove, path), "remove \(path)")
            expectRefused(try await world.one(.rename, point, "moved"), "rename \(point)")
        }
        expectRefused(try await world.one(.copy, "single", "stolen", always), "copy single")
        expectRefused(try await world.one(.get, "single", out), "get single")
        expectRefused(try await world.one(.copy, "file", "single", always), "copy to single")
        expectRefused(try await world.one(.rename, "file", "single", always), "rename to single")
        for path in ["stolen", "moved"] { #expect(!FileManager.default.fileExists(atPath: "\(world.root)/\(path)")) }
        #expect(!FileManager.default.fileExists(atPath: out) && world.site.read("\(world.root)/file") == "inside")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: world.root).sorted()
                == ["dir", "file", "single", "tmpfs", "tree"])
        try world.expectUntouched()
    }

    /// Everything that a listing shows is removed, what is in a directory before the directory: as the server does it.
    @Test func aTreeIsRemovedUpToItsMounts() async throws {
        let world = try Mounted()
        let directories = try await world.list("tree", mounts: "stay")
        var paths = directories.flatMap { directory, names in names.map { "\(directory)/\($0)" } } + ["tree/"]
        paths.sort { $0.split(separator: "/").count > $1.split(separator: "/").count }
        var results: [String: ElementResult] = [:]
        for path in paths { results[path] = try await world.one(.remove, path) }
        #expect(results.keys.sorted() == ["tree/", "tree/bind/", "tree/own"])
        #expect(results["tree/own"]?.isOK == true)
        expectRefused(try #require(results["tree/bind/"]), "tree/bind/")
        #expect(results["tree/"]?.errorClass == .notEmpty)
        try world.expectUntouched()
    }

    @Test func linksLeadIntoNone() async throws {
        let world = try Mounted()
        try world.site.link("\(world.root)/way", to: "tree/bind")
        try world.site.link("\(world.root)/straight", to: "tree/bind/x")
        let follow: [String: JSONValue] = ["symlinks": "follow"]
        expectRefused(try await world.one(.copy, "way/x", "stolen"), "way/x")
        expectRefused(try await world.one(.copy, "straight", "stolen", follow), "straight")
        expectRefused(try await world.one(.list, "way", nil, follow), "way")
        let shown = try await world.list("~", mounts: "stay", follow)
        #expect(shown["~"]?.contains("way") == true && shown["~/way"] == nil, "\(shown)")
        #expect(try await world.list("~", mounts: "cross", follow)["~/way"] == ["sub/", "x"])
        try world.expectUntouched()
    }

    /// With `cross` a mount is part of the site; of two sites each keeps to its own word.
    @Test func crossing() async throws {
        let world = try Mounted()
        #expect(try await world.one(.copy, "tree/bind/x", "a", mounts: "cross").isOK)
        #expect(try await world.one(.copy, "file", "tree/bind/sub/new", mounts: "cross").isOK)
        #expect(
            world.site.read("\(world.root)/a") == "precious" && world.site.read("\(world.other)/sub/new") == "inside")
        #expect(try await world.one(.remove, "tree/bind/sub/new", mounts: "cross").isOK)
        #expect(try await world.one(.copy, "tree/bind/x", "b", mounts: "cross", to: "stay").isOK)
        expectRefused(try await world.one(.copy, "file", "tree/bind/b", mounts: "cross", to: "stay"), "to stay")
        expectRefused(try await world.one(.copy, "tree/bind/x", "c", mounts: "stay", to: "cross"), "from stay")
        try world.expectUntouched()
    }

    /// A file that is mounted over another name looks like a second link of it, and is none: what removed "the other link"
    /// would remove the file.
    @Test(arguments: ["cross", "stay"], [1, 2])
    func aFileMountedOverAnotherName(_ mounts: String, names: Int) async throws {
        let world = try Mounted()
        try FileManager.default.removeItem(atPath: "\(world.root)/single")
        try FileManager.default.removeItem(atPath: "\(world.site.outside)/secret")
        try FileManager.default.createDirectory(atPath: "\(world.root)/pair", withIntermediateDirectories: true)
        try world.site.write("", "\(world.root)/single")
        try world.site.write("only one", "\(world.root)/pair/f")
        if names == 2 {
            try FileManager.default.linkItem(atPath: "\(world.root)/pair/f", toPath: "\(world.root)/pair/g")
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(world.site.outside)/secret", withDestinationPath: "\(world.root)/pair/f")
        let result = try await world.one(.rename, "pair/f", "single", mounts: mounts, ["overwrite": "always"])
        #expect(!result.isOK, "\(result)")
        #expect(world.site.read("\(world.root)/pair/f") == "only one")
    }
}
