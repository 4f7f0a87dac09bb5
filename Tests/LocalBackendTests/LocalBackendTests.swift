import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import haul_local

/// A root with something outside of it that must stay untouched and unseen.
struct LocalSite {
    let folder: Folder
    var root: String { "\(folder.path)/root" }
    var outside: String { "\(folder.path)/outside" }

    init() throws {
        folder = try Folder()
        for path in [root + "/dir", outside, folder.path + "/rootless"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try write("secret", "\(outside)/secret")
        try write("inside", "\(root)/file")
    }

    func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    func run(
        _ operation: ProtocolOperation, _ elements: [ElementSpec], _ options: [String: JSONValue] = [:]
    ) async throws -> Events {
        let local = try #require(Built.protocols()["local"])
        let events = Events()
        let site = SiteSpec(site: "local-a")
        let batch = BatchSpec(
            operation: operation, options: options, source: site, destination: operation == .copy ? site : nil,
            settings: ["roots": [.string(root)]], scratch: folder.path, spool: folder.path)
        let run = try await BackendRun.start(local, batch: batch) { events.add($0) }
        for element in elements { await run.add(element) }
        await run.finish()
        await run.wait()
        return events
    }

    func one(
        _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil,
        _ options: [String: JSONValue] = [:]
    ) async throws -> ElementResult {
        let element = ElementSpec(id: "e", source: source, destination: destination)
        return try #require(try await run(operation, [element], options).results("e").first)
    }
}

@Suite(.timeLimit(.minutes(6)))
struct LocalBackendTests {
    /// An attempt that comes back late takes hold of a file that got its final name meanwhile: that is left alone.
    @Test func aPartThatIsWholeByNow() throws {
        let folder = try Folder()
        let directory = try Descriptor(open(folder.path, O_RDONLY | O_DIRECTORY), "the folder")
        let part = LocalName(directory: directory, name: ".haul-part-0123456789abcdef", shown: "file")
        let final = part.sibling("file")
        try Data("whole".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(part.name)"))
        var isFirst = true
        let file = try part.openAlone {
            if isFirst { try part.rename(to: final, replace: false) }
            isFirst = false
        }
        #expect(ftruncate(file.raw, 0) == 0)
        #expect(FileManager.default.contents(atPath: "\(folder.path)/file") == Data("whole".utf8))
        #expect(try final.status()?.st_ino != file.status("the part").st_ino)
        #expect(throws: BackendFailure.self, "one writes at a time") { _ = try part.openAlone() }
    }

    @Test func nothingLeadsOut() async throws {
        let site = try LocalSite()
        let (root, outside) = (site.root, site.outside)
        try site.link("\(root)/abs", to: outside)
        try site.link("\(root)/rel", to: "../outside")
        try site.link("\(root)/dir/up", to: "../../outside")
        let follow: [String: JSONValue] = ["symlinks": "follow", "overwrite": "always"]
        for way in [
            "\(root)/abs", "\(root)/rel", "\(root)/dir/up", "\(root)/../outside", "\(root)/dir/../../outside", "rel",
            "~/../outside", outside, "\(site.folder.path)/rootless",
        ] {
            for options in [[:], follow] {
                #expect(
                    try await site.one(.list, "\(way)/", nil, options).errorClass.map {
                        [.permission, .notFound].contains($0)
                    } ?? true)
                #expect(
                    try await site.one(.copy, "\(way)/secret", "\(root)/stolen", options).errorClass == .permission,
                    "\(way)")
                #expect(
                    try await site.one(.get, "\(way)/secret", "\(site.folder.path)/got", options).errorClass
                        == .permission)
                #expect(try await site.one(.copy, "\(root)/file", "\(way)/secret", options).errorClass == .permission)
                #expect(try await site.one(.put, "\(root)/file", "\(way)/new/x", options).errorClass == .permission)
                #expect(try await site.one(.mkdir, "\(way)/made", nil, options).errorClass == .permission)
                #expect(try await site.one(.remove, "\(way)/secret", nil, options).errorClass == .permission)
                #expect(
                    try await site.one(.rename, "\(way)/secret", "\(root)/moved", options).errorClass == .permission)
                #expect(try await site.one(.rename, "\(root)/file", "\(way)/moved", options).errorClass == .permission)
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["secret"])
        #expect(site.read("\(outside)/secret") == "secret")
        #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["abs", "dir", "file", "rel"])
        let events = try await site.run(.list, [ElementSpec(id: "e", source: "~")], follow)
        let names = events.list.flatMap {
            if case .entries(_, _, let entries) = $0 { entries.map(\.name) } else { [String]() }
        }
        #expect(events.results("e").first?.isOK == true && !names.contains("secret"))
    }

    @Test func linksPipesAndRoots() async throws {
        let site = try LocalSite()
        try site.link("\(site.root)/link", to: "file")
        try site.link("\(site.root)/loop", to: "loop")
        #expect(mkfifo("\(site.root)/pipe", 0o600) == 0)
        #expect(try await site.one(.copy, "~/link", "~/a").errorClass == .invalid)
        #expect(try await site.one(.copy, "link", "a", ["symlinks": "follow"]).isOK)
        #expect(site.read("\(site.root)/a") == "inside")
        #expect(try await site.one(.copy, "loop", "b", ["symlinks": "follow"]).errorClass == .invalid)
        for options in [[:], ["symlinks": "follow"]] as [[String: JSONValue]] {
            #expect(try await site.one(.copy, "pipe", "b", options).errorClass == .invalid)
        }
        #expect(try await site.one(.remove, "~/").errorClass == .invalid)
        #expect(try await site.one(.rename, "~", "x").errorClass == .invalid)
        #expect(try await site.one(.rename, "dir", "dir/below/x").errorClass == .invalid)
        #expect(try await site.one(.mkdir, "~").isOK)
        #expect(try await site.one(.remove, "link").isOK)
        #expect(site.read("\(site.root)/file") == "inside")
    }

    @Test func aPlantedPartFileIsNotWrittenThrough() async throws {
        let site = try LocalSite()
        var status = stat()
        #expect(stat("\(site.root)/file", &status) == 0)
        let name = try PartFile.name(seed: "e", size: 6, modified: status.st_mtim.tv_sec)
        try site.link("\(site.root)/\(name)", to: "\(site.outside)/secret")
        #expect(try await site.one(.copy, "file", "copy").errorClass == .invalid)
        #expect(site.read("\(site.outside)/secret") == "secret")
    }

    @Test(arguments: ["good", "damaged", "longer"]) func resumes(_ part: String) async throws {
        let site = try LocalSite()
        let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 131) }
        try Data(content).write(to: URL(fileURLWithPath: "\(site.root)/big"))
        var status = stat()
        #expect(stat("\(site.root)/big", &status) == 0)
        let name = try PartFile.name(seed: "e", size: content.count, modified: status.st_mtim.tv_sec)
        var left = Array(content.prefix(150_000))
        if part == "damaged" { left[70_000] ^= 1 }
        if part == "longer" { left = content + content }
        try Data(left).write(to: URL(fileURLWithPath: "\(site.root)/\(name)"))
        let events = try await site.run(.copy, [ElementSpec(id: "e", source: "big", destination: "copy", attempt: 2)])
        #expect(events.results("e").first == ElementResult(transferred: content.count))
        #expect(events.log("e").contains("going on from byte 150000") == (part == "good"))
        #expect(FileManager.default.contentsEqual(atPath: "\(site.root)/big", andPath: "\(site.root)/copy"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: site.root).sorted() == ["big", "copy", "dir", "file"])
    }

    @Test func modesTimesAndHardLinks() async throws {
        let site = try LocalSite()
        let attributes: [FileAttributeKey: Any] = [
            .posixPermissions: 0o640, .modificationDate: Date(timeIntervalSince1970: 1_000_000_000),
        ]
        try FileManager.default.setAttributes(attributes, ofItemAtPath: "\(site.root)/file")
        #expect(try await site.one(.copy, "file", "copy").isOK)
        var status = stat()
        #expect(stat("\(site.root)/copy", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o640 && status.st_mtim.tv_sec == 1_000_000_000)
        try FileManager.default.linkItem(atPath: "\(site.root)/file", toPath: "\(site.root)/other")
        #expect(try await site.one(.rename, "file", "other", ["overwrite": "always"]).isOK)
        #expect(site.read("\(site.root)/file") == nil && site.read("\(site.root)/other") == "inside")
    }

    /// A file with a second name elsewhere, renamed to itself in another spelling: its name stays.
    @Test(arguments: ["file", "./file", "way/file", "dir/../file"]) func aNameIsNoSecondLink(_ spelling: String)
        async throws
    {
        let site = try LocalSite()
        try FileManager.default.linkItem(atPath: "\(site.root)/file", toPath: "\(site.root)/backup")
        try site.link("\(site.root)/way", to: ".")
        for (from, to) in [("file", spelling), (spelling, "file")] {
            let result = try await site.one(.rename, from, to, ["overwrite": "always"])
            #expect(result.errorClass == .invalid, "\(from) \(to) \(result)")
            #expect(site.read("\(site.root)/file") == "inside" && site.read("\(site.root)/backup") == "inside")
        }
    }

    @Test func aDeepTreeAndACircle() async throws {
        let site = try LocalSite()
        var current = open("\(site.root)/dir", O_RDONLY | O_DIRECTORY)
        let depth = 2500
        for _ in 0..<depth {
            #expect(mkdirat(current, "deep", 0o755) == 0)
            let next = openat(current, "deep", O_RDONLY | O_DIRECTORY)
            close(current)
            current = next
        }
        close(current)
        let events = try await site.run(.list, [ElementSpec(id: "e", source: "dir")])
        #expect(events.results("e").first?.isOK == true, "\(events.results("e"))")
        let chunks = events.list.filter { if case .entries = $0 { true } else { false } }
        #expect(chunks.count == depth + 1)
        let removal = try await Child.start(Command(executable: "/bin/rm", arguments: ["-rf", "\(site.root)/dir"]))
        #expect(await removal.wait().isSuccess)

        try FileManager.default.createDirectory(atPath: "\(site.root)/a/b", withIntermediateDirectories: true)
        try site.link("\(site.root)/a/b/back", to: "..")
        #expect(try await site.one(.list, "a").isOK)
        let circle = try await site.one(.list, "a", nil, ["symlinks": "follow"])
        #expect(circle.errorClass == .invalid && circle.reason?.contains("a/b/back") == true)
    }

    @Test func neighboursMayWantTheSame() async throws {
        let site = try LocalSite()
        let elements = (0..<40).map { ElementSpec(id: "\($0)", source: "file", destination: "new/deep/same") }
        let events = try await site.run(.copy, elements)
        for index in 0..<40 {
            let result = events.results("\(index)").first
            #expect(result?.isOK == true || result?.errorClass == .exists, "\(String(describing: result))")
        }
        #expect(site.read("\(site.root)/new/deep/same") == "inside")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(site.root)/new/deep") == ["same"])
    }
}
