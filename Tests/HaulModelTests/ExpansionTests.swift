import Foundation
import HaulModel
import Testing

@Suite("Listings become elements")
struct ExpansionTests {
    private func job(
        _ type: JobType, _ source: String, _ destination: String? = nil, options: [String: JSONValue] = [:]
    ) -> Job {
        Job(
            id: 1, userID: 1, queue: "default", type: type, protocolName: .ssh, status: .submitted,
            source: .init(siteID: 1, path: source), destination: destination.map { .init(siteID: 2, path: $0) },
            options: options, priority: 5, maxTries: 2, label: nil, logUID: "", registered: .init(milliseconds: 0),
            changed: .init(milliseconds: 0), counts: StatusCounts())
    }

    private func line(_ directory: String, _ name: String? = nil, _ kind: ListingEntry.Kind = .file, size: Int = 1)
        -> ListingLine
    {
        ListingLine(directory: directory, entry: name.map { ListingEntry(name: $0, kind: kind, size: size) })
    }

    /// Expands with the state stored and read between any two lines, as a crash would have it.
    private func expand(_ job: Job, _ lines: [ListingLine]) throws -> [ElementSeed] {
        var expansion = Expansion()
        var seeds: [ElementSeed] = []
        for line in lines {
            seeds += expansion.elements(for: line, of: job)
            expansion = try JSONDecoder().decode(Expansion.self, from: JSONEncoder().encode(expansion))
        }
        return seeds + expansion.finish(job)
    }

    @Test("COPY of a file is one element onto the destination")
    func copyFile() throws {
        let seeds = try expand(job(.copy, "~/f", "/d/g"), [line("~", "f", size: 5)])
        #expect(seeds == [ElementSeed(type: .copy, source: "~/f", destination: "/d/g", size: 5)])
        let into = try expand(job(.copy, "f", "/d/"), [line("~", "f", size: 5)])
        #expect(into.map(\.destination) == ["/d/f"])
    }

    @Test("COPY of a tree keeps paths, and makes empty directories")
    func copyTree() throws {
        let seeds = try expand(
            job(.copy, "/s/", "/d"),
            [
                line("/s", "a"), line("/s", "empty", .directory), line("/s", "sub", .directory), line("/s/empty"),
                line("/s/sub", "b"), line("/s/sub", ".haul-part-0123456789abcdef"),
            ])
        #expect(
            seeds == [
                ElementSeed(type: .copy, source: "/s/a", destination: "/d/a", size: 1),
                ElementSeed(type: .mkdir, source: "/d/empty"),
                ElementSeed(type: .copy, source: "/s/sub/b", destination: "/d/sub/b", size: 1),
            ])
    }

    @Test("COPY of an empty directory makes it")
    func copyEmpty() throws {
        #expect(try expand(job(.copy, "~/s", "~/d"), [line("~/s")]) == [ElementSeed(type: .mkdir, source: "~/d")])
    }

    @Test("a directory in which all is skipped is made like an empty one")
    func copySkipped() throws {
        let links = [line("/s", "l", .link)]
        let skipped = try expand(job(.copy, "/s", "/d", options: ["symlinks": "skip"]), links)
        #expect(skipped == [ElementSeed(type: .mkdir, source: "/d")])
        // Otherwise the link is an element, whose attempt says that it is a link.
        #expect(try expand(job(.copy, "/s", "/d"), links).map(\.jobType) == [.copy])
    }

    @Test("REMOVE takes directories with a slash, after all below them, the top last")
    func removeTree() throws {
        let seeds = try expand(
            job(.remove, "/s"),
            [line("/s", "a"), line("/s", "sub", .directory), line("/s/sub", "b"), line("/s/sub", ".haul-part-0")])
        #expect(seeds.map(\.source) == ["/s/a", "/s/sub/", "/s/sub/b", "/s/sub/.haul-part-0", "/s/"])
        #expect(seeds.map(\.depth) == [1, 1, 2, 2, 0])
        #expect(seeds.map(\.isHeld) == [false, true, false, false, true])
    }

    @Test("REMOVE of a file, of an empty directory, of a link")
    func removeOne() throws {
        #expect(try expand(job(.remove, "/s/f"), [line("/s", "f")]).map(\.source) == ["/s/f"])
        #expect(try expand(job(.remove, "/s/d"), [line("/s/d")]).map(\.source) == ["/s/d/"])
        #expect(try expand(job(.remove, "/s/l"), [line("/s", "l", .link)]).map(\.source) == ["/s/l"])
    }

    @Test("RENAME is one element, LIST none")
    func others() throws {
        let rename = try expand(job(.rename, "/s/d", "/s/e"), [line("/s", "d", .directory)])
        #expect(rename == [ElementSeed(type: .rename, source: "/s/d", destination: "/s/e")])
        #expect(try expand(job(.list, "/s"), [line("/s", "a")]).isEmpty)
    }

    @Test("a directory that holds a file of its own name is no file")
    func sameName() throws {
        let seeds = try expand(job(.copy, "/s/x", "/d"), [line("/s/x", "x")])
        #expect(seeds.map(\.source) == ["/s/x/x"])
    }

    @Test("a worker that spells the home out is understood")
    func spelledHome() throws {
        let seeds = try expand(job(.copy, "~/data", "/d"), [line("/home/u/data", "a"), line("/home/u/data/s", "b")])
        #expect(seeds.map(\.source) == ["~/data/a", "~/data/s/b"])
        #expect(seeds.map(\.destination) == ["/d/a", "/d/s/b"])
        let file = try expand(job(.copy, "~/f", "/d"), [line("/home/u", "f")])
        #expect(file.map(\.source) == ["~/f"])
    }

    @Test("a listing that begins below its source is of the source all the same")
    func beginsBelow() throws {
        let seeds = try expand(job(.copy, "/s/", "/d"), [line("/s/a/b", "f"), line("/s/c", "g")])
        #expect(seeds.map(\.destination) == ["/d/a/b/f", "/d/c/g"])
    }

    @Test("two directories whose names differ in spelling alone are two")
    func spellings() throws {
        let lines = [
            line("/s", "é", .directory), line("/s", "e\u{301}", .directory), line("/s/é"), line("/s/e\u{301}"),
        ]
        let seeds = try expand(job(.copy, "/s", "/d"), lines)
        #expect(seeds.map { Array($0.source.utf8) } == [Array("/d/é".utf8), Array("/d/e\u{301}".utf8)])
    }

    @Test("directories outside the source lead to nothing")
    func outside() throws {
        let seeds = try expand(job(.copy, "/s", "/d"), [line("/s", "a"), line("/etc", "passwd"), line("/sx", "b")])
        #expect(seeds.map(\.source) == ["/s/a"])
    }

    @Test("a listing's document: objects and plain names, and what is none")
    func documents() throws {
        let lines = ListingLine.lines(
            fromDocument: [
                "/d": [["name": "a", "st_size": 3, "st_mode": 33188, "st_mtime": 1.5], "b", "sub/"], "/d/sub": [],
            ])
        #expect(lines?.map(\.directory) == ["/d", "/d", "/d", "/d/sub"])
        #expect(lines?.compactMap(\.entry).map(\.displayName) == ["a", "b", "sub/"])
        #expect(lines?.first?.entry?.size == 3)
        for bad: JSONValue in ["x", 1, ["d": "x"], ["d": [1]], ["d": [["st_size": 1]]], ["d": ["a/b"]], ["d": [".."]]] {
            #expect(ListingLine.lines(fromDocument: bad) == nil, "\(bad)")
        }
    }
}
