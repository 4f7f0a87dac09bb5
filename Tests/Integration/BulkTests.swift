import HaulHTTP
import HaulModel
import Support
import Testing

/// `POST /jobs` with an array, or NDJSON: many at once, one transaction, up to 10,000.
@Suite(.server()) struct BulkTests {
    private func job(_ number: Int) -> JSONValue {
        ["type": 0, "src_siteid": 1, "src_filepath": .string("/\(number)")]
    }
    private let lines: HTTPHeaders = ["Content-Type": "application/x-ndjson"]

    /// An array of ids in order, from an array and from NDJSON.
    @Test func idsInOrder() async throws {
        let person = try await newPerson()
        let jobs = (0..<50).map(job)
        let array = try await person.user.post("/jobs", .array(jobs))
        let ids = try #require(array.json.array).compactMap(\.int)
        #expect(ids.count == 50 && ids == ids.sorted())
        for (number, id) in ids.enumerated() where number % 7 == 0 {
            #expect(try await person.user.get("/jobs/\(id)")["src_filepath"]?.string == "/\(number)")
        }
        let text = jobs.map(\.text).joined(separator: "\r\n\n  \n") + "\n"
        let ndjson = try await person.user.send("POST", "/jobs", Array(text.utf8), headers: lines)
        #expect(ndjson.json.array?.count == 50, "\(ndjson)")
        #expect(try await person.user.post("/jobs", []).json == [])
        #expect(try await person.user.send("POST", "/jobs", Array(" \n".utf8), headers: lines).json == [])
        let single = try await person.user.send("POST", "/jobs", Array(job(1).text.utf8), headers: lines)
        #expect(single.json.array?.count == 1, "one line of NDJSON is a list of one")
    }

    /// One bad job: 400 that names its index, none registered.
    @Test func oneBadJob() async throws {
        let person = try await newPerson()
        for bad: JSONValue in [["type": 0, "src_siteid": 99, "src_filepath": "/x"], 7, [], .null] {
            let answer = try await person.user.post("/jobs", .array([job(0), job(1), bad, job(3)]))
            #expect(answer.status == 400 && answer["index"] == 2, "\(answer)")
            let text = [job(0), bad, job(2)].map(\.text).joined(separator: "\n")
            let ndjson = try await person.user.send("POST", "/jobs", Array(text.utf8), headers: lines)
            #expect(ndjson.status == 400 && ndjson["index"] == 1, "\(ndjson)")
        }
        let broken = try await person.user.send(
            "POST", "/jobs", Array((job(0).text + "\n\n{\"type\": }\n").utf8), headers: lines)
        #expect(broken.status == 400 && broken["detail"]?.string?.contains("line 3, column 10") == true, "\(broken)")
        #expect(try await person.user.get("/jobs").text == "[]")
    }

    /// 10,000 are taken, in a transaction; one more is 413.
    @Test func tenThousand() async throws {
        let person = try await newPerson()
        let text = (0..<10_000).map { job($0).text }.joined(separator: "\n")
        let answer = try await person.user.send("POST", "/jobs", Array(text.utf8), headers: lines)
        #expect(answer.status == 200 && answer.json.array?.count == 10_000)
        let more = try await person.user.send("POST", "/jobs", Array((text + "\n" + job(0).text).utf8), headers: lines)
        #expect(more.status == 413 && more["code"] == "too_many", "\(more)")
        let all = try await person.user.get("/jobs?limit=20000", headers: ["Accept": "application/x-ndjson"])
        #expect(all.lines.count == 10_000)
    }

    /// Only `POST /jobs` takes many.
    @Test func shorthandTakesOne() async throws {
        let person = try await newPerson()
        let answer = try await person.user.post("/list", [job(0)])
        #expect(answer.status == 400 && answer["code"] == "no_object")
    }
}
