import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Who may do what: 401, 403, 404, and operators.
@Suite(.server()) struct AccessTests {
    private let userRoutes = [
        ("GET", "/jobs"), ("POST", "/jobs"), ("POST", "/list"), ("POST", "/copy"), ("POST", "/remove"),
        ("POST", "/rename"), ("POST", "/mkdir"), ("GET", "/jobs/1"), ("GET", "/jobs/1/status"),
        ("GET", "/jobs/1/output"), ("GET", "/jobs/1/elements"), ("GET", "/jobs/1/elements/0"),
        ("GET", "/jobs/1/elements/0/status"), ("GET", "/jobs/1/elements/0/output"),
        ("GET", "/jobs/1/elements/0/output/1"),
    ]
    private let workerRoutes = [
        ("POST", "/worker/register"), ("POST", "/worker/heartbeat"), ("POST", "/worker/jobs"),
        ("POST", "/worker/results"),
    ]

    /// No or bad token: 401 with a challenge, on every route.
    @Test func noToken() async throws {
        let server = try LiveServer.ofSuite
        let good = try await server.token(user: "someone", role: "user")
        let reversed = String(good.reversed())
        let headers: [HTTPHeaders] = [
            [:], ["Authorization": "Bearer garbage"], ["Authorization": "Basic \(good)"], ["Authorization": good],
            ["Authorization": "Bearer"], ["X-Token": "garbage"], ["X-Token": reversed],
            ["Authorization": "Bearer \(good)x"], ["Cookie": "token=\(good)"],
        ]
        for (method, path) in userRoutes + workerRoutes {
            for fields in headers {
                let body = method == "POST" ? Array("{}".utf8) : []
                let answer = try await server.anonymous.send(method, path, body, headers: fields)
                #expect(answer.status == 401, "\(method) \(path) \(fields) \(answer)")
                #expect(answer.headers["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
                #expect(answer.headers["Content-Type"] == "application/problem+json")
            }
        }
        #expect(try await server.anonymous.get("/jobs?token=\(good)").status == 401, "no secrets in URLs")
        for fields: HTTPHeaders in [["X-Token": good], ["Authorization": "bearer \(good)"]] {
            #expect(try await server.anonymous.get("/jobs", headers: fields).status == 200)
        }
        #expect(!server.log.contains(good))
    }

    /// Role not enough: 403.
    @Test func roles() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let boss = try await server.caller(user: "boss", role: "operator")
        for (method, path) in workerRoutes {
            for caller in [person.user, boss] {
                let answer = try await caller.send(method, path, Array("{}".utf8))
                #expect(answer.status == 403 && answer["code"] == "role", "\(path) \(answer)")
            }
        }
        for (method, path) in userRoutes {
            let answer = try await person.worker.send(method, path, method == "POST" ? Array("{}".utf8) : [])
            #expect(answer.status == 403 && answer["code"] == "role", "\(path) \(answer)")
        }
    }

    /// Operators read any job; `?user=` lists anyone's, `*` everyone's. To others it is a 403.
    @Test func operators() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let other = try await newPerson()
        let boss = try await server.caller(user: "boss2", role: "operator")
        let id = try await person.list("/secret")
        _ = try await other.list("/other")
        #expect(try await boss.get("/jobs/\(id)")["src_filepath"] == "/secret")
        #expect(try await boss.get("/jobs/\(id)/elements").json.array?.count == 1)
        #expect(try await boss.get("/jobs/\(id)/elements/0/status").status == 200)
        #expect(try await boss.get("/jobs/\(id)/output").text == "[]")
        #expect(try await boss.get("/jobs").text == "[]", "their own")
        #expect(try await boss.get("/jobs?user=\(person.name)").json.array?.count == 1)
        #expect(try await boss.get("/jobs?user=*").json.array?.count ?? 0 >= 2)
        #expect(try await boss.get("/jobs?user=nobody").text == "[]")
        #expect(try await person.user.get("/jobs?user=\(person.name)").json.array?.count == 1)
        for user in ["*", other.name, "nobody"] {
            #expect(try await person.user.get("/jobs?user=\(user)").status == 403)
        }
        #expect(try await other.user.get("/jobs").text.contains("secret") == false)
    }

    /// Only a hash of a token is stored.
    @Test func tokensAtRest() async throws {
        let server = try LiveServer.ofSuite
        let token = try await server.token(user: "hashed", role: "user")
        #expect(try await server.anonymous.with(token).get("/jobs").status == 200)
        for suffix in ["", "-wal"] {
            let data = try Data(contentsOf: URL(fileURLWithPath: server.database + suffix))
            #expect(data.range(of: Data(token.utf8.dropFirst(5))) == nil)
        }
    }

    /// A revoked token does nothing from then on, also one by which a body would still be read.
    @Test func revocation() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        for n in 0..<3 { _ = try await person.list("/\(n)") }
        let revoked = try await server.revoke("--user", person.name)
        #expect(revoked.code == 0 && revoked.output.contains("(\(person.name), user) revoked"), "\(revoked)")
        for _ in 0..<2 {
            let answer = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/late"])
            #expect(answer.status == 401, "\(answer)")
        }
        let boss = try await server.caller(user: "boss3", role: "operator")
        #expect(try await boss.get("/jobs?user=\(person.name)").json.array?.count == 3)
    }
}
