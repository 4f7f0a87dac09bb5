import HaulModel
import Support
import Testing

/// A job has one id, and a site one besides its name, in whichever face: digits, as they were told.
@Suite(.server(), .timeLimit(.minutes(5))) struct IDTests {
    @Test func onlyDigits() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/d")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/d": []]])
        let (uws, qdo) = (UWSClient(person.user), QdoClient(person))
        let clockwork = FaceClient(person.user, ClockworkRoutes.roots[0])
        func statuses(_ id: String, _ element: String) async throws -> [Int] {
            var all: [Int] = []
            let attempt = element == "0" ? "1" : "01"
            for path in ["", "/status", "/elements/\(element)", "/elements/\(element)/output/\(attempt)"] {
                all.append(try await person.user.get("/jobs/\(id)\(path)").status)
            }
            for path in ["", "/phase", "/results/log-\(element)"] {
                all.append(try await uws.get("/list/\(id)\(path)").status)
            }
            return all + [try await qdo.get("default/tasks/\(id)").status]
        }
        func job(_ query: String) async throws -> JSONValue {
            let answer = try await clockwork.get("/jobs/one?" + query)
            #expect(answer.status == 200, "\(answer)")
            return answer.json
        }
        #expect(try await statuses("\(id)", "0").allSatisfy { $0 == 200 })
        #expect(try await job("job_id=\(id)&cluster_name=1").object?["slurm"] != nil)
        for odd in ["+\(id)", "0\(id)", "00\(id)", "\(id)%20", "-\(id)", "\(id).0"] {
            let all = try await statuses(odd, "0")
            #expect(all.allSatisfy { $0 == 404 }, "\(odd): \(all)")
            let escaped = odd.replacing("+", with: "%2B")
            #expect(try await job("job_id=\(escaped)") == [:], "\(odd)")
            let pairs: JSONValue = ["job_id": .string(odd), "update_pairs": ["a": 1]]
            #expect(try await clockwork.json("PUT", "/jobs/user_dict_update", pairs).status == 404, "\(odd)")
        }
        for odd in ["00", "+0", "-0"] {
            let all = try await statuses("\(id)", odd)
            #expect(all == [200, 200, 404, 404, 200, 200, 404, 200], "\(odd): \(all)")
        }
        for odd in ["+1", "01", "-1"] {
            let escaped = odd.replacing("+", with: "%2B")
            #expect(try await job("job_id=\(id)&cluster_name=\(escaped)") == [:], "\(odd)")
            let made = try await person.user.post("/list", ["src_siteid": .string(odd), "src_filepath": "/e"])
            #expect(made.status == 400, "\(odd): \(made)")
            let found = try await person.user.get("/jobs?place=\(escaped)")
            #expect(found.status == 400, "\(odd): \(found)")
        }
        #expect(try await person.user.get("/jobs").json.array?.count == 1)
    }
}
