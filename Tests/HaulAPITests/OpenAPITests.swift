import HaulHTTP
import HaulModel
import HaulWire
import Testing

@testable import HaulAPI

/// `/openapi.json` says what there is: no more, no less.
@Suite struct OpenAPITests {
    /// Every route of the native API stands in the document, and the document has no others.
    @Test func hasTheRoutesOfTheRouter() async throws {
        let api = try await TestAPI()
        let routes = api.router.routes.filter {
            $0.pattern.hasPrefix(WirePath.root) || $0.pattern == "/openapi.json"
        }.map { route in
            let path = route.pattern.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : $0 }
            return "\(route.method) /\(path.joined(separator: "/"))"
        }
        let paths = try #require(try await api.document()["paths"]?.object)
        let described = paths.flatMap { path, item in
            (item.object ?? [:]).keys.filter { $0 != "parameters" }.map { "\($0.uppercased()) \(path)" }
        }
        #expect(described.sorted() == routes.sorted())
        #expect(described.count > 40, "\(described)")
    }

    /// Names in a path are its parameters; operations have names of their own, texts and answers; each reference leads to
    /// something, and nothing stands there to which none leads.
    @Test func isWhole() async throws {
        let document = try await TestAPI().document()
        var names: Set<String> = []
        for (path, item) in try #require(document["paths"]?.object) {
            let parameters = item["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(
                parameters
                    == path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            )
            for (method, operation) in item.object ?? [:] where method != "parameters" {
                let name = try #require(operation["operationId"]?.string)
                #expect(names.insert(name).inserted, "\(name) twice")
                #expect(operation["summary"]?.string?.isEmpty == false)
                let answers = try #require(operation["responses"]?.object)
                #expect(answers.keys.contains { $0.hasPrefix("2") }, "\(name)")
                #expect(answers["500"] != nil && answers["503"] != nil, "\(name)")
            }
        }
        var found: Set<String> = []
        Self.references(document, into: &found)
        for kind in ["schemas", "responses"] {
            let there = try #require(document["components"]?[kind]?.object).keys
            let wanted = found.filter { $0.hasPrefix("#/components/\(kind)/") }.map {
                String($0.dropFirst("#/components//".count + kind.count))
            }
            #expect(there.sorted() == wanted.sorted())
        }
    }

    private static func references(_ value: JSONValue, into found: inout Set<String>) {
        if let reference = value["$ref"]?.string { found.insert(reference) }
        for item in value.array ?? [] { references(item, into: &found) }
        for (_, item) in value.object ?? [:] { references(item, into: &found) }
    }

    /// Who may do what stands there as the routes have it.
    @Test func saysWhoMay() async throws {
        let document = try await TestAPI().document()
        func security(_ method: String, _ path: String) -> JSONValue? {
            document["paths"]?[path]?[method]?["security"]
        }
        let root = WirePath.root
        #expect(security("get", root + "/jobs")?.array?.first == ["token": ["jobs.read"]])
        #expect(security("patch", root + "/sites/{site}")?.array?.first == ["token": ["operate"]])
        #expect(security("get", root + "/whoami")?.array?.first == ["token": []])
        #expect(security("put", root + "/worker/jobs/{job}/elements/{element}")?.array?.first == ["elementToken": []])
        #expect(security("post", root + "/login") == [])
        #expect(security("get", "/openapi.json") == [])
    }
}
