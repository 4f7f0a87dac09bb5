import HaulHTTP
import HaulModel
import Support
import Testing

/// Who may list whose jobs, and in which form lists come.
@Suite(.server()) struct ListViewTests {
    /// An operator lists a user's jobs and everyone's, with all filters; what they list changes for nobody else.
    @Test func operatorsView() async throws {
        let server = try LiveServer.ofSuite
        let (person, other) = (try await newPerson(), try await newPerson())
        let boss = try await server.caller(user: "boss-\(person.name)", role: "operator")
        let list = try await person.list("/a")
        let copy = try await person.copy("/a", "/b", ["queue": "q"])
        let foreign = try await other.list("/c")
        func ids(_ query: String, _ caller: Caller) async throws -> [Int] {
            let answer = try await caller.get("/jobs" + query)
            try #require(answer.status == 200, "\(query) \(answer)")
            return try #require(answer.json.array).compactMap { $0["id"]?.int }
        }
        #expect(try await ids("?user=\(person.name)", boss) == [list, copy])
        #expect(try await ids("?user=\(person.name)&type=COPY", boss) == [copy])
        #expect(try await ids("?user=\(person.name)&queue=q&status=SUBMITTED&site=2", boss) == [copy])
        #expect(try await ids("?user=\(person.name)&after=\(list)&limit=1", boss) == [copy])
        #expect(try await ids("?user=\(other.name)", boss) == [foreign])
        #expect(Set(try await ids("?user=*", boss)).isSuperset(of: [list, copy, foreign]))
        // Other tests register at the same server.
        let next = try await ids("?user=*&limit=1&after=\(copy)", boss)
        #expect(next.count == 1 && next.allSatisfy { $0 > copy && $0 <= foreign }, "\(next)")
        #expect(try await ids("", boss) == [], "their own")
        #expect(try await ids("?user=boss-\(person.name)", boss) == [])
        #expect(try await ids("?user=nobody", boss) == [])
        #expect(try await ids("", person.user) == [list, copy])
        #expect(try await ids("?user=\(person.name)", person.user) == [list, copy], "one's own name is no one else's")
    }

    /// To a user anyone else's list is a 403, whether there is such a user or not; to a worker every list.
    @Test func others() async throws {
        let (person, other) = (try await newPerson(), try await newPerson())
        let id = try await person.list("/a")
        for query in ["?user=\(other.name)", "?user=*", "?user=nobody"] {
            let answer = try await person.user.get("/jobs" + query)
            #expect(answer.status == 403 && answer["code"] == "role", "\(query) \(answer)")
            #expect(answer.headers["Content-Type"] == "application/problem+json" && answer["hint"] != nil)
        }
        let routes = [
            "/jobs", "/jobs?user=\(person.name)", "/jobs?user=*", "/jobs/\(id)/elements", "/jobs/\(id)/output",
        ]
        for path in routes {
            let answer = try await person.worker.get(path)
            #expect(answer.status == 403 && answer["code"] == "role", "\(path) \(answer)")
        }
    }

    private static let lineForms = [
        "application/x-ndjson", "application/x-ndjson, application/json;q=0.5", "Application/X-NDJSON",
        "application/json;q=0.1, application/x-ndjson;q=0.9", "application/ndjson", "text/html, application/x-ndjson",
    ]
    private static let arrayForms = [
        "", "*/*", "text/html", "image/png;q=1", "application/json", "application/problem+json", ";;,,q=",
        "application/*",
        "application/x-ndjson;q=0", "application/json, application/x-ndjson;q=0.5", "text/html;q=0",
        "application/json, application/x-ndjson; q=0.0", "*/*, application/x-ndjson;q=0", "application/json;q=0",
    ]

    /// A line a document where `Accept` wants that most, an array otherwise; never 406. A list of nothing too.
    @Test func forms() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/a")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/a": ["x", "line\u{2028}"]]])
        let job = "/jobs/\(id)"
        let routes = [
            ("/jobs", 1), (job + "/elements", 1), (job + "/elements?listing=long", 1), (job + "/output", 1),
            (job + "/output?attempts=all", 1), ("/jobs?status=FAILED", 0), (job + "/elements?status=FAILED", 0),
            ("/jobs/999999999/elements", 0),
        ]
        for (path, count) in routes {
            let array = try await person.user.get(path)
            #expect(array.status == 200 && array.json.array?.count == count, "\(path) \(array)")
            for accept in Self.lineForms {
                let answer = try await person.user.get(path, headers: ["Accept": accept])
                #expect(answer.status == 200, "\(path) \(accept) \(answer)")
                #expect(answer.headers["Content-Type"] == "application/x-ndjson", "\(path) \(accept)")
                #expect(answer.lines == array.json.array && answer.body.last == (count == 0 ? nil : 0x0A), "\(answer)")
            }
            for accept in Self.arrayForms {
                let answer = try await person.user.get(path, headers: ["Accept": accept])
                #expect(answer.status == 200, "\(path) \(accept) \(answer)")
                #expect(answer.headers["Content-Type"] == "application/json", "\(path) \(accept)")
                #expect(answer.text == array.text, "\(path) \(accept)")
            }
        }
    }
}
