import Foundation
import FoundationXML
import HaulHTTP
import HaulModel
import Support
import Testing

/// What comes to each of the other faces as it would to another: XML, which UWS writes and none of them reads, and tokens in
/// `X-Token`.
@Suite(.server(), .timeLimit(.minutes(10))) struct FaceBodyTests {
    private static let documents = [
        "<?xml version=\"1.0\"?>\n<uws:job xmlns:uws=\"http://www.ivoa.net/xml/UWS/v1.0\"><uws:runId>x</uws:runId></uws:job>",
        "<job><runId>x</runId>", "</job>", "<", "<a b=1>&nbsp;%zz</a>", "\u{0}",
        "<?xml version=\"1.0\" encoding=\"x\"?>",
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;\">]><x>&c;</x>",
    ]
    private static let types = ["text/xml", "application/xml; charset=utf-8", "application/atom+xml", "TEXT/XML"]
    private static let form = "application/x-www-form-urlencoded"

    private func isPlain(_ answer: Answer) -> Bool { answer.headers["Content-Type"]?.hasPrefix("text/plain") == true }

    /// UWS takes forms alone: 415 in plain text; what is put as a parameter's value is that, whatever it is.
    @Test func uws() async throws {
        let person = try await newPerson()
        let client = UWSClient(person.user)
        let job = try await client.make("list", ["src_siteid": "1", "src_filepath": "/d"])
        for document in Self.documents {
            let body = Array(document.utf8)
            for type in Self.types {
                for path in ["/list", "/transfer", job]
                    + ["phase", "parameters", "destruction"].map({ "\(job)/\($0)" })
                {
                    let answer = try await client.send("POST", path, body: body, type: type)
                    #expect(answer.status == 415 && isPlain(answer), "\(path) \(type) \(document): \(answer)")
                }
                let path = job + "/parameters/src_filepath"
                #expect(try await client.send("PUT", path, body: body, type: type).status == 303, "\(document)")
                #expect(try await client.get(path).body == body, "\(document)")
            }
            // Under the name of a form, or none, its pieces are parameters that nobody knows.
            for type in [Self.form, nil] {
                let answer = try await client.send("POST", "/list", body: body, type: type)
                #expect([303, 400].contains(answer.status), "\(document): \(answer)")
                guard let place = answer.headers["Location"] else { continue }
                let made = try await client.get(String(place.dropFirst((client.server.url + "/uws").utf8.count)))
                let parser = XMLParser(data: Data(made.body))
                #expect(parser.parse() && made.element("phase") == "PENDING", "\(document): \(made)")
            }
            let parser = XMLParser(data: Data(try await client.get(job).body))
            #expect(parser.parse(), "\(document)")
        }
        #expect(try await client.phase(job) == "PENDING")
        #expect(try !LiveServer.ofSuite.log.contains("request failed"))
    }

    /// qdo takes forms and JSON: 415 where it looks for something in the body, which elsewhere is not looked at.
    @Test func qdo() async throws {
        let person = try await newPerson()
        let client = QdoClient(person)
        _ = try await client.send("PUT", "q")
        let task = try await client.add("x", to: "q")
        let queue = "/\(client.user)/queues/q"
        let reading =
            [("PUT", "\(queue)/tasks/\(task)"), ("POST", "/site/login")]
            + ["launch", "tasks", "addtask", "addtasks", "batchtasks"].map { ("POST", "\(queue)/\($0)") }
        for document in Self.documents {
            let body = Array(document.utf8)
            for (method, path) in reading {
                for type in Self.types {
                    let answer = try await client.send(method, at: path, body: body, type: type)
                    #expect(
                        answer.status == 415 && answer["code"] == "unknown_type",
                        "\(path) \(type) \(document): \(answer)")
                }
                if path.hasSuffix("launch") { continue }
                for type in ["application/json", Self.form, nil] {
                    let answer = try await client.send(method, at: path, body: body, type: type)
                    #expect(answer.status == 400 && answer["hint"] != nil, "\(path) \(document): \(answer)")
                }
            }
            for name in ["pause", "resume", "retry", "recover"] {
                let answer = try await client.send("PUT", at: "\(queue)/\(name)", body: body, type: "text/xml")
                #expect(answer.status == 200, "\(name): \(answer)")
            }
        }
        #expect(try await client.get("q/tasks").json.array?.count == 1)
        #expect(try await client.state(task, in: "q") == "Pending")
        #expect(try !LiveServer.ofSuite.log.contains("request failed"))
    }

    /// Clockwork takes forms and JSON: 415, in a text; nothing is merged.
    @Test func clockwork() async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, ClockworkRoutes.roots[0])
        let job = try await person.mkdir("/d")
        for route in ClockworkRoutes.all {
            // The query has all that is needed: what is wrong is the body alone.
            let path =
                route.path + "?job_id=\(job)&node_name=w&update_pairs=%7B%22a%22:1%7D&updates=%7B%22a%22:1%7D&keys=a"
            for document in Self.documents {
                let body = Array(document.utf8)
                for type in Self.types {
                    let answer = try await client.send(route.method, path, body, type: type)
                    #expect(
                        answer.status == 415 && answer.json.string != nil, "\(route) \(type) \(document): \(answer)")
                }
                let answer = try await client.send(route.method, path, body, type: "application/json")
                #expect(answer.status == 400 && answer.json.string != nil, "\(route) \(document): \(answer)")
                let form = try await client.send(route.method, path, body)
                #expect([200, 400].contains(form.status), "\(route) \(document): \(form)")
                _ = try await client.send("PUT", "/jobs/user_props/delete?job_id=\(job)&keys=a")
            }
        }
        #expect(try await client.get("/jobs/user_props/get?job_id=\(job)").text == "{}")
        #expect(try !LiveServer.ofSuite.log.contains("request failed"))
    }

    /// Overview has 400 for what lacks its parameters, and makes no job of it.
    @Test func overview() async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, OverviewRoutes.root)
        for document in Self.documents {
            for type in Self.types.map(Optional.some) + ["application/json", Self.form, nil] {
                let answer = try await client.send("POST", "/generate", Array(document.utf8), type: type)
                // As a form it may be one, of which nothing is meant.
                let codes = type == nil || type == Self.form ? ["bad_form", "invalid_field"] : ["bad_form"]
                #expect(answer.status == 400 && codes.contains(answer["code"]?.string ?? ""), "\(document): \(answer)")
            }
        }
        #expect(try await person.user.get("/jobs").text == "[]")
        #expect(try !LiveServer.ofSuite.log.contains("request failed"))
    }

    /// A token is taken from `X-Token` at each face, and nobody is let in by a wrong one.
    @Test func tokenHeader() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let job = try await person.mkdir("/d")
        let (user, token) = (person.name, person.user.token ?? "")
        let requests: [(String, String, Int)] = [
            ("GET", "/uws/list", 200), ("POST", "/uws/list", 303), ("GET", "/uws/mkdir/\(job)/phase", 200),
            ("GET", "/qdo/site/info", 200), ("GET", "/qdo/site/login", 200), ("GET", "/qdo/\(user)/queues/", 200),
            ("PUT", "/qdo/users/\(user)/queues/q", 201), ("POST", "/qdo/\(user)/queues/q/get", 200),
            ("GET", "/api/v1/cluster/jobs/list", 200), ("GET", "/api/v1/clusters/nodes/list", 200),
            ("PUT", "/api/v1/cluster/jobs/user_props/set?job_id=\(job)&updates=%7B%7D", 200),
            ("GET", "/overview/search?server=ssh-a&documentSetId=/d", 404), ("POST", "/overview/generate", 400),
        ]
        for (method, path, status) in requests {
            var client = FaceClient(server.anonymous, "")
            for wrong in ["garbage", "haul_unknown", "", token + "x", String(token.dropLast()), "Bearer " + token] {
                client.headers.set("X-Token", wrong)
                let answer = try await client.send(method, path)
                // Who shows nothing gets a form to log in with.
                if wrong.isEmpty, path == "/qdo/site/login" { continue }
                #expect(answer.status == 401, "\(method) \(path) \"\(wrong)\": \(answer)")
                let scheme = path.hasPrefix("/uws") ? "Basic" : "Bearer"
                #expect(answer.headers["WWW-Authenticate"] == "\(scheme) realm=\"haul\"", "\(path)")
            }
            client.headers.set("X-Token", token)
            let answer = try await client.send(method, path)
            #expect(answer.status == status, "\(method) \(path): \(answer)")
        }
        // A header counts, whatever stands in the form.
        var client = FaceClient(server.anonymous, OverviewRoutes.root)
        client.headers.set("X-Token", "haul_unknown")
        let form: KeyValuePairs = ["server": "ssh-a", "documentSetId": "/d", "api_token": token]
        #expect(try await client.form("POST", "/generate", form).status == 401)
    }
}
