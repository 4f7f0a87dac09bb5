import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// `/openapi.json` as it is served.
@Suite(.server()) struct OpenAPITests {
    private func document(_ server: LiveServer, headers: HTTPHeaders = [:]) async throws -> HTTPClientResponse {
        try await server.client.send(HTTPClientRequest(url: server.url + "/openapi.json", headers: headers))
    }

    /// Everybody gets it, at the root, whatever they show.
    @Test func everybodyGetsIt() async throws {
        let server = try LiveServer.ofSuite
        for headers: HTTPHeaders in [[:], ["Authorization": "Bearer garbage"]] {
            let answer = try await document(server, headers: headers)
            #expect(answer.status == 200)
            #expect(answer.headers["Content-Type"] == "application/json")
            #expect(try JSONReader.value(answer.body)["openapi"] == "3.1.0")
        }
    }

    /// It is a document of OpenAPI 3.1, as others read it.
    @Test func isValid() async throws {
        let folder = try Folder()
        let path = folder.path + "/openapi.json"
        let answer = try await document(try LiveServer.ofSuite)
        try Data(answer.body).write(to: URL(fileURLWithPath: path))
        let run = try await ProgramRun(
            executable: try PythonTool.path("openapi-spec-validator"), ["--schema", "3.1", path])
        #expect(run.code == 0, "\(run.output) \(run.errors)")
    }

    /// A path takes the methods that stand there, and no others.
    @Test func hasTheMethodsOfEachPath() async throws {
        let server = try LiveServer.ofSuite
        let paths = try #require(try JSONReader.value(try await document(server).body)["paths"]?.object)
        for (template, item) in paths {
            let path = template.replacing(#/\{\w+\}/#, with: "1")
            var methods = Set((item.object ?? [:]).keys.filter { $0 != "parameters" }.map { $0.uppercased() })
            if methods.contains("GET") { methods.insert("HEAD") }
            let answer = try await server.client.send(
                HTTPClientRequest(method: "PROPFIND", url: server.url + path, timeout: 30))
            #expect(answer.status == 405)
            #expect(answer.headers["Allow"] == methods.sorted().joined(separator: ", "), "\(path)")
        }
    }
}
