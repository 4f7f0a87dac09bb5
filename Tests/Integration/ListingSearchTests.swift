import HaulHTTP
import HaulModel
import Support
import Testing

/// `GET /jobs/J/elements/E/listing`.
@Suite(.server()) struct ListingSearchTests {
    /// GET .../elements/E/listing, 200: entries by path, those that are looked for, so many of them; 404 where there is none.
    @Test func searchedListing() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/root")
        let path = "/jobs/\(id)/elements/0/listing"
        let early = try await person.user.get(path)
        #expect(early.status == 404 && early["code"] == "no_listing", "\(early)")
        let many = (0..<2500).map { entry("f\($0)", size: $0) }
        try await worker.finish(
            try await worker.takeOne(),
            ["listing": ["/root": .array([entry("Sub", isDirectory: true)] + many), "/root/Sub": [entry("été")]]])
        func paths(_ query: String) async throws -> [String] {
            let answer = try await person.user.get(path + query)
            return try #require(answer.json.array, "\(answer)").compactMap { $0["path"]?.string }
        }
        #expect(try await Set(paths("")).count == 2502)
        #expect(try await paths("?q=F2499") == ["/root/f2499"])
        #expect(try await paths("?q=SUB").sorted() == ["/root/Sub", "/root/Sub/été"])
        #expect(try await paths("?q=%C3%89T%C3%89") == ["/root/Sub/été"])
        #expect(try await paths("?q=nothing&limit=3") == [])
        #expect(try await paths("?q=f&limit=1200").count == 1200)
        #expect(try await paths("?limit=0") == [])
        let one = try await person.user.get(path + "?q=f7&limit=1")
        #expect(
            one.json == [
                ["path": "/root/f7", "type": "file", "size": 7, "mode": 0o100644, "mtime": 1_700_000_000]
            ])
        let lines = try await person.user.get(path + "?q=f1", headers: ["Accept": "application/x-ndjson"])
        #expect(lines.lines.count == 1111)
        #expect(lines.lines.allSatisfy { $0["path"]?.string?.hasPrefix("/root/f1") == true })
        for query in ["?limit=-1", "?q=\(String(repeating: "x", count: 257))"] {
            #expect(try await person.user.get(path + query).status == 400, "\(query)")
        }
        // A copy's own list has one, what is copied has none; a stranger sees neither.
        let copy = try await person.copy("/s", "/d")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/s": [entry("a")]]])
        try await eventually("expansion") { try await person.user.get("/jobs/\(copy)")["num_elements"] == 2 }
        #expect(try await person.user.get("/jobs/\(copy)/elements/0/listing")[0]?["path"] == "/s/a")
        #expect(try await person.user.get("/jobs/\(copy)/elements/1/listing")["code"] == "no_listing")
        #expect(try await newPerson().user.get(path)["code"] == "no_such_job")
    }
}
