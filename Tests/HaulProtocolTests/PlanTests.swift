import Foundation
import HaulModel
import HaulProtocol
import Testing

struct PlanTests {
    static let file = FileFacts(kind: .file, size: 5)

    static func copy(
        _ source: FileFacts?, _ destination: FileFacts?, _ overwrite: CommonOptions.Overwrite = .never,
        _ verify: CommonOptions.Verify = .size, same: Bool? = nil, hasChecksum: Bool = false
    ) -> String {
        let plan = CopyPlan.decide(
            source: source, destination: destination, options: CommonOptions(overwrite: overwrite, verify: verify),
            sourcePath: "/s", destinationPath: "/d", sameContent: same,
            hasChecksum: hasChecksum)
        return switch plan {
        case .skip: "skip"
        case .copy(let replace): replace ? "replace" : "copy"
        case .compareChecksums: "compare"
        case .fail(let failure): failure.errorClass.rawValue
        }
    }

    @Test func copies() {
        let other = FileFacts(kind: .file, size: 6)
        #expect(Self.copy(Self.file, Self.file, hasChecksum: true) == "compare")
        #expect(Self.copy(Self.file, Self.file, same: true, hasChecksum: true) == "skip")
        #expect(Self.copy(Self.file, Self.file, same: false, hasChecksum: true) == "exists")
        #expect(Self.copy(Self.file, other, hasChecksum: true) == "exists")
        #expect(Self.copy(nil, nil) == "not_found")
        for kind in [ListingEntry.Kind.directory, .link, .other] {
            #expect(Self.copy(FileFacts(kind: kind), nil) == "invalid")
            #expect(Self.copy(Self.file, FileFacts(kind: kind), .always) == "exists")
        }
        #expect(Self.copy(Self.file, nil) == "copy")
        #expect(Self.copy(Self.file, Self.file) == "skip")
        #expect(Self.copy(Self.file, Self.file, .different) == "skip")
        #expect(Self.copy(Self.file, Self.file, .always) == "replace")
        #expect(Self.copy(Self.file, other) == "exists")
        #expect(Self.copy(Self.file, other, .different) == "replace")
        #expect(Self.copy(Self.file, Self.file, .never, .checksum) == "compare")
        #expect(Self.copy(Self.file, Self.file, .never, .checksum, same: true) == "skip")
        #expect(Self.copy(Self.file, Self.file, .never, .checksum, same: false) == "exists")
        #expect(Self.copy(Self.file, Self.file, .different, .checksum, same: false) == "replace")
        #expect(Self.copy(Self.file, other, .never, .checksum) == "exists")
    }

    @Test func syncs() {
        func plan(_ source: FileFacts, _ there: FileFacts, _ keepsTimes: Bool, _ options: CommonOptions) -> String {
            let plan = CopyPlan.decide(
                source: source, destination: there, options: options, sourcePath: "/s", destinationPath: "/d",
                keepsTimes: keepsTimes)
            return switch plan {
            case .skip(let log): log
            case .copy(let replace): replace ? "replace" : "copy"
            case .compareChecksums: "compare"
            case .fail(let failure): failure.errorClass.rawValue
            }
        }
        func file(_ size: Int, _ modified: Int?) -> FileFacts { FileFacts(kind: .file, size: size, modified: modified) }
        let sync = CommonOptions(sync: true)
        #expect(plan(file(5, 10), file(5, 10), true, sync).contains("equal in size and time"))
        #expect(plan(file(5, 10), file(5, 11), true, sync) == "replace")
        #expect(plan(file(5, 10), file(5, 11), false, sync).contains("and not older"))
        #expect(plan(file(5, 10), file(5, 9), false, sync) == "replace")
        #expect(plan(file(5, 10), file(6, 10), true, sync) == "replace")
        // Who knows no times compares sizes.
        #expect(plan(file(5, nil), file(5, 9), true, sync).contains("equal in size (5"))
        #expect(plan(file(5, 10), file(5, nil), false, sync).contains("equal in size (5"))
        let checked = CommonOptions(verify: .checksum, sync: true)
        #expect(plan(file(5, 10), file(5, 10), true, checked) == "compare")
        #expect(plan(file(5, 10), file(5, 11), true, checked) == "replace")
        #expect(plan(file(5, 10), file(5, 10), true, CommonOptions(overwrite: .always, sync: true)) == "replace")
        #expect(plan(file(5, 10), FileFacts(kind: .directory), true, sync) == "exists")
    }

    static func word(_ plan: ChangePlan) -> String {
        switch plan {
        case .go(let replace): replace ? "replace" : "go"
        case .done: "done"
        case .fail(let failure): failure.errorClass.rawValue
        }
    }

    @Test func removes() {
        let directory = FileFacts(kind: .directory)
        #expect(Self.word(.remove("/f", found: Self.file, attempt: 1)) == "go")
        #expect(Self.word(.remove("/f", found: FileFacts(kind: .link), attempt: 1)) == "go")
        #expect(Self.word(.remove("/f", found: nil, attempt: 1)) == "not_found")
        #expect(Self.word(.remove("/f", found: nil, attempt: 2)) == "done")
        #expect(Self.word(.remove("/f", found: directory, attempt: 1)) == "invalid")
        #expect(Self.word(.remove("/f/", found: directory, attempt: 1)) == "go")
        #expect(Self.word(.remove("/f/", found: Self.file, attempt: 1)) == "invalid")
    }

    @Test func mkdirs() {
        let directory = FileFacts(kind: .directory)
        #expect(Self.word(.mkdir("/d", found: nil, parents: false, attempt: 1)) == "go")
        #expect(Self.word(.mkdir("/d", found: directory, parents: false, attempt: 1)) == "exists")
        #expect(Self.word(.mkdir("/d", found: directory, parents: false, attempt: 2)) == "done")
        #expect(Self.word(.mkdir("/d", found: directory, parents: true, attempt: 1)) == "done")
        #expect(Self.word(.mkdir("/d", found: Self.file, parents: true, attempt: 2)) == "exists")
    }

    @Test func renames() {
        func plan(_ source: FileFacts?, _ there: FileFacts?, _ overwrite: CommonOptions.Overwrite, _ attempt: Int)
            -> String
        {
            Self.word(
                .rename(
                    from: "/a", to: "/b", source: source, destination: there, overwrite: overwrite, attempt: attempt))
        }
        let directory = FileFacts(kind: .directory)
        #expect(plan(Self.file, nil, .never, 1) == "go")
        #expect(plan(Self.file, Self.file, .never, 1) == "exists")
        #expect(plan(Self.file, Self.file, .always, 1) == "replace")
        #expect(plan(Self.file, directory, .always, 1) == "exists")
        #expect(plan(directory, Self.file, .always, 1) == "exists")
        #expect(plan(nil, Self.file, .never, 1) == "not_found")
        #expect(plan(nil, Self.file, .never, 2) == "done")
        #expect(plan(nil, nil, .never, 2) == "not_found")
    }

    @Test func listingPaths() {
        for (path, directory) in [
            ("/", "/"), ("//", "/"), ("/a/", "/a"), ("~", "~"), ("~/", "~"), ("", "~"), ("a/b//", "a/b"),
        ] {
            #expect(ListingPath.directory(path) == directory)
        }
        for (path, directory, name) in [
            ("/p/f", "/p", "f"), ("/f", "/", "f"), ("f", "~", "f"), ("~/f", "~", "f"), ("/", "/", "."), ("~", "~", "."),
            ("a//b/", "a", "b"), ("/x\r/\u{301}y", "/x\r", "\u{301}y"),
        ] {
            let found = ListingPath.parent(path)
            #expect(found.directory.utf8.elementsEqual(directory.utf8) && found.name.utf8.elementsEqual(name.utf8))
        }
        #expect(ListingPath.child("/", "a") == "/a" && ListingPath.child("~", "a") == "~/a")
    }

    @Test func hashesAndParts() throws {
        let hash = try StreamHash(.md5)
        hash.update("a".utf8)
        #expect(hash.finish() == "md5:0cc175b9c0f1b6a831c399e269772661")
        let name = try PartFile.name(seed: "s", size: 1, modified: 2)
        #expect(name.utf8.count == PartFile.prefix.utf8.count + 16 && name.hasPrefix(PartFile.prefix))
        #expect(try PartFile.name(seed: "s", size: 1, modified: 2) == name)
        #expect(try PartFile.name(seed: "s", size: 1, modified: 3) != name)
        #expect(PartFile.resumeOffset(part: 6, source: 5) == 0 && PartFile.resumeOffset(part: 5, source: 5) == 5)
        #expect(PartFile.resumeOffset(part: nil, source: 5) == 0)
    }
}
