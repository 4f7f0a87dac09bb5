import Foundation
import HaulModel
import HaulPlayground
import Support
import Testing

/// The user's dict of a job.
@Suite(.server(), .timeLimit(.minutes(10))) struct ClockworkDictTests {
    private static let limit = 2 << 20

    private func update(_ client: FaceClient, _ job: Int, _ pairs: JSONValue) async throws -> Answer {
        try await client.form(
            "PUT", "/jobs/user_dict_update", ["job_id": "\(job)", "update_pairs": pairs.text])
    }

    @Test func merging() async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, "/api/v1/cluster")
        let job = try await person.mkdir("/d")
        #expect(try await update(client, job, [:]).text == "{}")
        #expect(
            try await update(client, job, ["b": 0.25, "a": [1, ["x": .null]]]).text
                == "{\"a\":[1,{\"x\":null}],\"b\":0.25}")
        let awkward: [String: JSONValue] = ["": 1, "\u{0}\n\"\\": "\u{1}", "ü\u{1F600}": .null, "b": .bool(true)]
        let merged = try await update(client, job, .object(awkward))
        #expect(merged.json == .object(awkward.merging(["a": [1, ["x": .null]]]) { $1 }))
        #expect(try await client.get("/jobs/one?job_id=\(job)")["user"] == merged.json)
        #expect(try await person.user.get("/jobs/\(job)/properties").json == merged.json)
        // Under the newer names, in each of the ways to say it; and by the query alone.
        let set = try await client.json(
            "PUT", "/jobs/user_props/set", ["job_id": .int(job), "cluster_name": "ssh-a", "updates": ["c": 1]])
        #expect(set["c"] == 1 && set["b"] == .bool(true))
        #expect(try await client.send("PUT", "/jobs/user_props/set?job_id=\(job)&updates=%7B%22d%22:2%7D")["d"] == 2)
        for keys: JSONValue in ["", ["\u{0}\n\"\\", "nothing"], "[\"ü\u{1F600}\"]", "a"] {
            let answer = try await client.json("PUT", "/jobs/user_props/delete", ["job_id": .int(job), "keys": keys])
            // An empty text is as if it were not there.
            #expect(answer.status == (keys == "" ? 400 : 200), "\(answer)")
        }
        let gone = try await client.form(
            "PUT", "/jobs/user_props/delete", ["job_id": "\(job)", "keys": "b", "keys": "d"])
        #expect(gone.json == ["": 1, "c": 1])
        #expect(try await client.get("/jobs/user_props/get?job_id=\(job)").json == gone.json)
        let native = try await person.user.send(
            "PATCH", "/jobs/\(job)/properties", Array("{\"c\":null,\"\":null}".utf8))
        #expect(native.text == "{}")
    }

    /// Numbers keep their digits and names their bytes, in a form and in JSON, and through the native API.
    @Test func asWritten() async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, "/api/v1/cluster")
        let job = try await person.mkdir("/d")
        let pairs = "{\"e\u{301}\":12345678901234567890,\"\u{e9}\":{\"x\":0.10}}"
        let form = try await client.form("PUT", "/jobs/user_dict_update", ["job_id": "\(job)", "update_pairs": pairs])
        #expect(form.body == Array(pairs.utf8), "\(form)")
        let body = "{\"job_id\":\(job),\"updates\":{\"n\":-9223372036854775809}}"
        let json = try await client.send(
            "PUT", "/jobs/user_props/set", Array(body.utf8), type: "application/json")
        let all = "{\"e\u{301}\":12345678901234567890,\"n\":-9223372036854775809,\"\u{e9}\":{\"x\":0.10}}"
        #expect(json.body == Array(all.utf8), "\(json)")
        let native = try await person.user.send(
            "PATCH", "/jobs/\(job)/properties", Array("{\"\u{e9}\":null,\"n\":1.0}".utf8))
        #expect(native.body == Array("{\"e\u{301}\":12345678901234567890,\"n\":1.0}".utf8), "\(native)")
        let many = "{\"a\":[0" + String(repeating: ",0", count: 100_000) + "]}"
        let refused = try await client.form(
            "PUT", "/jobs/user_dict_update", ["job_id": "\(job)", "update_pairs": many])
        #expect(refused.status == 400 && refused.text.contains("100000 values"), "\(refused)")
    }

    @Test func limits() async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, "/api/v1/cluster")
        let job = try await person.mkdir("/d")
        func text(_ bytes: Int) -> JSONValue { ["a": .string(String(repeating: "x", count: bytes - 8))] }
        #expect(try await update(client, job, text(Self.limit - 1)).body.count == Self.limit - 1)
        #expect(try await update(client, job, text(Self.limit)).status == 200)
        let before = try await client.get("/jobs/user_props/get?job_id=\(job)")
        #expect(before.body.count == Self.limit)
        for pairs in [text(Self.limit + 1), ["b": 1]] {
            let answer = try await update(client, job, pairs)
            #expect(answer.status == 413 && answer.json.string != nil, "\(answer)")
        }
        let native = try await person.user.send("PATCH", "/jobs/\(job)/properties", Array("{\"b\":1}".utf8))
        #expect(native.status == 413 && native["code"] == "properties_too_long")
        #expect(try await client.get("/jobs/user_props/get?job_id=\(job)").body == before.body)
        // Very many names, and letters that take eight bytes each in a form.
        #expect(try await update(client, job, ["a": 0]).status == 200)
        let many = Dictionary(uniqueKeysWithValues: (0..<50_000).map { ("name \($0)", JSONValue.int($0)) })
        #expect(try await update(client, job, .object(many)).json.object?.count == 50_001)
        let other = try await person.mkdir("/e")
        let escaped = "{\"a\": \"" + String(repeating: "\\u00e9", count: 1_000_000) + "\"}"
        let answer = try await client.form(
            "PUT", "/jobs/user_dict_update", ["job_id": "\(other)", "update_pairs": escaped])
        #expect(answer.status == 200 && answer.body.count == 2_000_008, "\(answer.status)")
    }

    /// It goes with its job, and nothing can be added to one that is going.
    @Test func goesWithItsJob() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let client = FaceClient(person.user, "/api/v1/cluster")
        let job = try await person.mkdir("/d")
        #expect(try await update(client, job, ["a": 1]).status == 200)
        #expect(try await person.user.send("DELETE", "/jobs/\(job)?remove=1").status == 200)
        #expect(try await update(client, job, ["b": 1]).status == 404)
        #expect(try await client.get("/jobs/user_props/get?job_id=\(job)").text == "{}")
        #expect(try await person.user.get("/jobs/\(job)/properties").status == 404)
        #expect(try await person.user.send("PATCH", "/jobs/\(job)/properties", Array("{}".utf8)).status == 404)
        #expect(!server.log.contains("request failed"))
    }

    /// Sixteen clients write into one dict, at two servers of one database: nothing is lost, and each is answered what
    /// stood there with its own.
    @Test func concurrentMerges() async throws {
        var settings = LiveServer.Settings()
        settings.store = try await TestDatabase.makePostgreSQL()
        let first = try await LiveServer.start(settings)
        let second = try await LiveServer.start(settings)
        let person = try await first.person()
        let job = try await person.mkdir("/d")
        let client = FaceClient(person.user, "/api/v1/cluster")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    let here = client.at(writer % 2 == 0 ? first : second)
                    for turn in 0..<20 {
                        let pairs: JSONValue = [
                            "w\(writer) t\(turn)": .int(turn), "w\(writer)": .int(turn), "all": .int(writer),
                        ]
                        let answer = try await self.update(here, job, pairs)
                        #expect(answer.status == 200 && answer["w\(writer) t\(turn)"] == .int(turn), "\(answer)")
                        #expect(answer["w\(writer)"] == .int(turn) && answer["all"] == .int(writer))
                    }
                }
            }
            try await group.waitForAll()
        }
        for server in [first, second] {
            let all = try await client.at(server).get("/jobs/user_props/get?job_id=\(job)").json.object ?? [:]
            #expect(all.count == 16 * 21 + 1)
            #expect((0..<16).allSatisfy { all["w\($0)"] == 19 })
        }
        await second.remove()
        await first.remove()
    }
}
