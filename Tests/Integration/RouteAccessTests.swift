import Foundation
import HaulHTTP
import HaulModel
import HaulWire
import Support
import Testing

/// Every route with every role, with other people's ids, and with tokens that are narrower than their role: 401, 403, 404,
/// or in. The routes, and who may do what, are those of `/openapi.json`.
@Suite(.server { $0.more = "vault: \"vault.key\"," }) struct RouteAccessTests {
    /// A route, out of the document.
    private struct Operation {
        var method: String
        /// Below the API's root, with names in braces.
        var path: String
        /// Who has one of these gets in; empty: whoever is known; nil: everybody.
        var scopes: Set<String>?
        var isOfElement: Bool

        var name: String { "\(method) \(path)" }
        /// Operators may, and users for what they made.
        var isManaged: Bool { scopes == ["operate", "jobs.write"] }
        /// Operators have no part in it.
        var isPrivate: Bool { path.contains("{credential}") }
        /// Operators see it, and have no say in it.
        var isOwners: Bool {
            ["POST /jobs/{job}/commit", "PATCH /jobs/{job}/parameters", "PATCH /jobs/{job}/properties"].contains(name)
        }
        var ownsJob: Bool { path.hasPrefix("/jobs/{job}") }
    }

    /// Somebody with a token.
    private struct Visitor {
        var name: String
        var caller: Caller
        var scopes: Set<String>
        var isOperator = false
        /// The jobs and tokens of the test are theirs.
        var isOwner = false
    }

    private func operations() async throws -> [Operation] {
        let server = try LiveServer.ofSuite
        let answer = try await server.client.send(HTTPClientRequest(url: server.url + "/openapi.json"))
        let paths = try #require(try JSONReader.value(answer.body)["paths"]?.object)
        return try paths.flatMap { path, item in
            try (item.object ?? [:]).filter { $0.key != "parameters" && path.hasPrefix(WirePath.root) }.map {
                method, value in
                let security = try #require(value["security"]?.array)
                return Operation(
                    method: method.uppercased(), path: String(path.dropFirst(WirePath.root.count)),
                    scopes: security.isEmpty
                        ? nil : Set(security.flatMap { $0["token"]?.array ?? [] }.compactMap(\.string)),
                    isOfElement: security.contains { $0["elementToken"] != nil })
            }
        }.sorted { $0.name < $1.name }
    }

    private func visitors(_ person: Person, _ boss: Caller) async throws -> [Visitor] {
        let other = try await newPerson()
        func scopes(_ role: Role) -> Set<String> { Set(role.scopes.map(\.rawValue)) }
        var visitors = [
            Visitor(name: "another user", caller: other.user, scopes: scopes(.user)),
            Visitor(name: "a worker", caller: other.worker, scopes: scopes(.worker)),
            Visitor(name: "the owner", caller: person.user, scopes: scopes(.user), isOwner: true),
            Visitor(name: "an operator", caller: boss, scopes: scopes(.operator), isOperator: true),
        ]
        for scope in Role.operator.scopes {
            let maker = scope == .operate ? boss : person.user
            let made = try await maker.post("/tokens", ["scopes": [.string(scope.rawValue)]])
            visitors.append(
                Visitor(
                    name: "who may do \(scope.rawValue) alone", caller: maker.with(made["token"]?.string),
                    scopes: [scope.rawValue], isOperator: scope == .operate, isOwner: scope != .operate))
        }
        return visitors
    }

    /// A path to what the owner has: new each time, as a route may end it.
    private func place(
        _ operation: Operation, _ person: Person, _ boss: Caller, worker: String
    ) async throws -> String {
        var path = operation.path
        if path.contains("{site}") {
            let name = "s" + UUID().uuidString.prefix(8).lowercased()
            _ = try await boss.post(
                "/sites", ["name": .string(name), "protocol": "fake", "users": [.string(person.name)]])
            path = path.replacing("{site}", with: name)
        }
        if path.contains("{credential}") {
            let made = try await person.user.put(
                "/credentials", ["kind": "http-password", "secret": "a:b", "site": "http-a"])
            path = path.replacing("{credential}", with: "\(made["id"]?.int ?? 0)")
        }
        if operation.ownsJob {
            let job = try await person.list("/\(UUID().uuidString)")
            // What watches a job waits for its end.
            if path.hasSuffix("/events") { _ = try await person.user.send("DELETE", "/jobs/\(job)") }
            path = path.replacing("{job}", with: "\(job)")
        }
        if path.contains("{token}") {
            let made = try await person.user.post("/tokens", [:])
            path = path.replacing("{token}", with: "\(made["id"]?.int ?? 0)")
        }
        for (name, value) in [
            "{job}": "1", "{element}": "0", "{attempt}": "1", "{user}": person.name, "{worker}": worker,
            "{queue}": "default",
        ] { path = path.replacing(name, with: value) }
        return path
    }

    private func send(_ operation: Operation, _ path: String, _ caller: Caller) async throws -> Answer {
        let hasBody = ["POST", "PUT", "PATCH"].contains(operation.method)
        return try await caller.send(operation.method, path, hasBody ? Array("{}".utf8) : [])
    }

    @Test func everyRouteAndRole() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let boss = try await server.caller(user: "chief", role: "operator")
        let worker = "w-\(person.name)"
        _ = try await person.worker.post(
            "/worker/register", ["name": .string(worker), "slots": 1, "protocols": ["ssh"]])
        let visitors = try await visitors(person, boss)
        var seen: [Int: Int] = [:]
        for operation in try await operations() where !operation.isOfElement {
            for unknown in [nil, "garbage", "haul_unknown"] {
                let path = operation.path.replacing(#/\{\w+\}/#, with: "1")
                let answer = try await send(operation, path, server.anonymous.with(unknown))
                let isRefused = answer.status == 401 && answer["code"] == "no_token"
                #expect(isRefused == (operation.scopes != nil), "\(operation.name) \(answer)")
                if isRefused { #expect(answer.headers["WWW-Authenticate"]?.hasPrefix("Bearer") == true) }
                seen[answer.status, default: 0] += 1
            }
            guard let scopes = operation.scopes else { continue }
            for visitor in visitors {
                // It ends the token that is shown: each has its own test.
                if operation.path == "/logout" { continue }
                let path = try await place(operation, person, boss, worker: worker)
                let answer = try await send(operation, path, visitor.caller)
                let what = "\(operation.name), \(visitor.name): \(answer)"
                seen[answer.status, default: 0] += 1
                if !scopes.isEmpty, scopes.isDisjoint(with: visitor.scopes) {
                    #expect(answer.status == 403 && ["role", "scope"].contains(answer["code"]?.string), "\(what)")
                } else if operation.isManaged, !visitor.isOperator {
                    // A site of the operators': those who may use it are told so, to the others it is not there.
                    let isSeen = visitor.isOwner || !operation.path.contains("{site}")
                    #expect(answer.status == (isSeen ? 403 : 404), "\(what)")
                } else if visitor.isOperator, operation.isOwners {
                    #expect(answer.status == 403 && answer["code"] == "not_owner", "\(what)")
                } else if visitor.isOwner || visitor.isOperator && !operation.isPrivate || !isOwned(operation) {
                    #expect(![401, 403, 500, 503].contains(answer.status), "\(what)")
                    #expect(
                        answer.status != 404
                            || ["no_work", "no_myproxy", "no_such_queue", "no_listing"].contains(
                                answer["code"]?.string),
                        "\(what)")
                } else if operation.name == "GET /jobs/{job}/elements" {
                    #expect(answer.status == 200 && answer.text == "[]", "\(what)")
                } else {
                    #expect(answer.status == 404 && !answer.text.contains(person.name), "\(what)")
                }
            }
        }
        for status in [200, 400, 401, 403, 404] { #expect(seen[status, default: 0] > 10, "\(seen)") }
    }

    /// What the path names is somebody's.
    private func isOwned(_ operation: Operation) -> Bool {
        operation.ownsJob || ["{token}", "{credential}", "{site}"].contains { operation.path.contains($0) }
    }

    /// Routes of elements take the element's token alone: nobody's 401, another element's 403.
    @Test func everyRouteOfElements() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let boss = try await server.caller(user: "chief2", role: "operator")
        let worker = try await ActingWorker(person.worker)
        for path in ["/one", "/two"] { _ = try await person.list(path) }
        let held = try await worker.take(2)
        let (mine, others) = (try #require(held.first), try #require(held.last))
        let operations = try await operations().filter(\.isOfElement)
        #expect(operations.count >= 4)
        for operation in operations {
            let path = operation.path.replacing("{job}", with: "\(mine.jobID)").replacing("{element}", with: "0")
            for token in [nil, "garbage", person.user.token, person.worker.token, boss.token] {
                let answer = try await send(operation, path, server.anonymous.with(token))
                #expect(answer.status == 401, "\(operation.name) \(answer)")
            }
            let stranger = try await send(operation, path, server.anonymous.with(others.token))
            #expect(stranger.status == 403, "\(operation.name) \(stranger)")
            let nowhere = path.replacing("/\(mine.jobID)/", with: "/999999/")
            let wrong = try await send(operation, nowhere, server.anonymous.with(mine.token))
            #expect(wrong.status == 403, "\(operation.name) \(wrong)")
            let own = try await send(operation, path, server.anonymous.with(mine.token))
            #expect(own.status == (operation.method == "GET" ? 200 : 400), "\(operation.name) \(own)")
        }
    }
}
