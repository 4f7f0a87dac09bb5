import HaulHTTP
import HaulModel
import HaulWire
import Support
import Testing

/// Bodies are read of those alone who may send them: whoever has no good token is refused at the head of the request.
@Suite(.server(), .serialized) struct StrangersBodyTests {
    private static func head(
        _ method: String, _ path: String, _ token: String?, _ framing: String = "Content-Length: 94371840"
    ) -> String {
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return "\(method) \(WirePath.root)\(path) HTTP/1.1\r\nHost: h\r\n\(authorization)\(framing)\r\n\r\n"
    }

    /// The head alone gets the answer: 401 without a good token, 403 with another's, 404, 405, 413.
    @Test func theHeadIsEnough() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let (user, worker) = (person.user.token, person.worker.token)
        let element = "/worker/jobs/1/elements/0"
        let requests: [(String, String, String?, Int, String)] = [
            ("POST", "/jobs", nil, 401, "no_token"), ("POST", "/jobs", "haul_unknown", 401, "no_token"),
            ("POST", "/list", "haul_unknown", 401, "no_token"), ("POST", "/jobs", worker, 403, "role"),
            ("POST", "/worker/results", nil, 401, "no_token"), ("POST", "/worker/results", user, 403, "role"),
            ("POST", "/worker/results", "haul_unknown", 401, "no_token"), ("GET", "/jobs", nil, 401, "no_token"),
            ("GET", "/jobs/1/output", "haul_unknown", 401, "no_token"), ("PUT", element, nil, 401, "no_token"),
            ("PUT", element, "haul_unknown", 401, "bad_element_token"),
            ("POST", element + "/log", user, 401, "bad_element_token"),
            ("POST", "/nowhere", nil, 404, "no_such_route"), ("DELETE", "/jobs", nil, 405, "method"),
            ("POST", "/jobs", user, 413, "too_large"),
        ]
        for (method, path, token, status, code) in requests {
            // Twice, as the second time the token may be known.
            for framing in ["Content-Length: 94371840", "Expect: 100-continue\r\nContent-Length: 94371840"] {
                let raw = try RawConnection(port: server.port)
                await raw.send(Self.head(method, path, token, framing))
                let answer = try await raw.onlyAnswer()
                let document = try JSONReader.value(answer.body)
                #expect(answer.status == status && document["code"]?.string == code, "\(method) \(path) \(document)")
                #expect(document["hint"]?.string?.isEmpty == false, "\(document)")
                #expect(answer.headers["Content-Type"] == ProblemDocument.contentType)
                #expect((answer.headers["WWW-Authenticate"]?.hasPrefix("Bearer") == true) == (status == 401))
                #expect((answer.headers["Allow"] != nil) == (status == 405))
            }
        }
        for token in [nil, "haul_unknown"] {
            let raw = try RawConnection(port: server.port)
            await raw.send(Self.head("POST", "/jobs", token, "Transfer-Encoding: chunked"))
            #expect(try await raw.onlyAnswer().status == 401)
        }
    }

    /// What is pipelined behind an early 401 is not taken for requests.
    @Test(arguments: [nil, "haul_unknown"]) func pipelined(token: String?) async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let body = "{\"src_siteid\": 1, \"src_filepath\": \"/smuggled\"}"
        let inner = Self.head("POST", "/list", person.user.token, "Content-Length: \(body.utf8.count)") + body
        let raw = try RawConnection(port: server.port)
        await raw.send(Self.head("POST", "/list", token, "Content-Length: 5") + "hello" + inner + inner)
        #expect(try await raw.answers().map(\.status) == [401])
        #expect(try await person.user.get("/jobs").text == "[]")
    }

    /// A token that is good at the head is asked about in the handler too: the body of one is no pass for another.
    @Test func eachRequestIsItsOwn() async throws {
        let person = try await newPerson()
        for _ in 0..<3 { _ = try await person.list("/mine") }
        let good = try #require(person.user.token)
        for token in [good + "x", String(good.dropLast()), ""] {
            let answer = try await person.user.with(token).post("/list", ["src_siteid": 1, "src_filepath": "/x"])
            #expect(answer.status == 401)
        }
    }

    /// A hundred strangers who send 90 MiB each: those with a token register all the while, and the server holds none
    /// of it.
    @Test(arguments: [nil, "haul_unknown"]) func aHundredStrangers(token: String?) async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        _ = try await person.list("/before")
        let before = server.memory
        let (statuses, most) = try await withThrowingTaskGroup(of: Int?.self) { group in
            let piece = [UInt8](repeating: 0x20, count: 1 << 20)
            for _ in 0..<100 {
                group.addTask {
                    let raw = try RawConnection(port: server.port)
                    await raw.send(Self.head("POST", "/worker/results", token))
                    for _ in 0..<90 { guard await raw.send(piece) else { break } }
                    // Who sends on for long past the answer may be cut off from it.
                    return try? await raw.onlyAnswer(seconds: 5).status
                }
            }
            var most = 0
            for number in 0..<50 {
                let answer = try await person.user.post(
                    "/list", ["src_siteid": 1, "src_filepath": .string("/\(number)")])
                #expect(answer.status == 200, "\(answer)")
                most = max(most, server.memory)
            }
            return (try await group.reduce(into: [Int?]()) { $0.append($1) }, most)
        }
        #expect(statuses.allSatisfy { $0 == nil || $0 == 401 }, "\(statuses)")
        #expect(most - before < 64 << 20, "\(before >> 20) MiB before, \(most >> 20) MiB meanwhile")
        #expect(try await person.user.get("/jobs").json.array?.count == 51)
    }
}
