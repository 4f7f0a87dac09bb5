import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import HaulWire
import Support
import Synchronization
import Testing

/// The server behind a real nginx, below a prefix.
@Suite(.timeLimit(.minutes(6))) struct ProxyTests {
    /// What of an answer came so far.
    private final class Seen: Sendable {
        private let bytes = Mutex<[UInt8]>([])

        func add(_ piece: [UInt8]) { bytes.withLock { $0 += piece } }
        var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
    }

    private func server(_ proxies: String) async throws -> LiveServer {
        var settings = LiveServer.Settings()
        settings.more = proxies
        return try await LiveServer.start(settings)
    }

    private func get(
        _ url: String, _ path: String, _ token: String?, _ headers: HTTPHeaders = [:]
    ) async throws -> Answer {
        var headers = headers
        if let token { headers.set("Authorization", "Bearer \(token)") }
        let client = HTTPClient()
        let response = try await client.send(
            HTTPClientRequest(url: url + WirePath.root + path, headers: headers, timeout: 60))
        await client.close()
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    /// Every part through the proxy: command line, worker, long polls, uploads, events as they happen.
    @Test func everyPart() async throws {
        let server = try await server("proxies: {trusted: [\"127.0.0.1\"]},")
        let nginx = try await Nginx.proxy(to: server.url)
        let url = "http://\(nginx.endpoint)/haul"
        // A job that nobody takes: its events come when they happen, not when a buffer is full.
        let person = try await server.person()
        let id = try await person.list("/x")
        let client = HTTPClient()
        let seen = Seen()
        let events = HTTPClientRequest(
            url: url + WirePath.root + "/jobs/\(id)/events",
            headers: ["Authorization": "Bearer \(person.user.token ?? "")"])
        let task = Task {
            _ = try await client.stream(events) { seen.add($0) }
        }
        try await eventually("the first event") { seen.text.contains("event: status") }
        #expect(try await person.user.send("DELETE", "/jobs/\(id)").status == 200)
        try await eventually("the last event") { seen.text.contains("event: done") }
        try await task.value
        // A claim that waits gets what comes meanwhile.
        let claim = HTTPClientRequest(
            method: "POST", url: url + WirePath.root + "/worker/jobs",
            headers: ["Authorization": "Bearer \(person.worker.token ?? "")"],
            body: Array(#"{"types": [0], "wait": 50}"#.utf8))
        async let claimed = client.send(claim)
        let next = try await person.list("/y")
        let answer = try await claimed
        #expect(answer.status == 200 && String(decoding: answer.body, as: UTF8.self).contains("\"id\":\(next)"))
        await client.close()
        var settings = RealWorker.Settings()
        settings.url = url
        let worker = try await RealWorker.start(server, settings)
        let run = try await ProgramRun(
            "haul", ["list", "fake-a:/tree/3", "--wait", "--url", url, "--token-file", worker.tokenFile])
        #expect(run.code == 0, "\(run) \(worker.log)")
        await worker.stop()
        await nginx.stop()
        await server.remove()
    }

    /// The record of changes names the client that the proxy saw, whatever that client says of itself.
    @Test func addresses() async throws {
        let server = try await server("proxies: {trusted: [\"127.0.0.1\"]},")
        let nginx = try await Nginx.proxy(to: server.url)
        let boss = try await server.caller(user: "boss", role: "operator")
        let url = "http://\(nginx.endpoint)/haul"
        @Sendable func failedLogin(_ url: String, _ name: String, _ headers: HTTPHeaders) async throws -> Int {
            let client = HTTPClient()
            let response = try await client.send(
                HTTPClientRequest(
                    method: "POST", url: url + WirePath.root + "/login", headers: headers,
                    body: Array(#"{"user": "\#(name)", "password": "wrong"}"#.utf8)))
            await client.close()
            return response.status
        }
        func address(_ name: String) async throws -> JSONValue? {
            try await boss.get("/audit?user=\(name)").json.array?.last?["address"]
        }
        // What comes through the proxy is from this machine, whose address is trusted: what stands further left was said by
        // another trusted one. From nginx itself, as the last: 127.0.0.1.
        #expect(try await failedLogin(url, "a", [:]) == 401)
        #expect(try await address("a") == "127.0.0.1")
        #expect(try await failedLogin(url, "b", ["X-Forwarded-For": "198.51.100.1, 203.0.113.9"]) == 401)
        #expect(try await address("b") == "203.0.113.9")
        #expect(try await failedLogin(url, "c", ["Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"]) == 401)
        #expect(try await address("c") == "127.0.0.1")
        // A client whom nobody trusts, at another address of this machine: nginx says where it is.
        let curl = try await ProgramRun(
            executable: "/usr/bin/curl",
            [
                "-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", "127.0.0.5", "-H",
                "X-Forwarded-For: 203.0.113.9", "-H", "X-Forwarded-For: 127.0.0.1", "-d",
                #"{"user": "e", "password": "wrong"}"#, url + WirePath.root + "/login",
            ])
        #expect(curl.output == "401", "\(curl)")
        #expect(try await address("e") == "127.0.0.5")
        // Guesses of one client keep that one waiting, not all who come through the proxy.
        for _ in 0..<6 { #expect(try await failedLogin(url, "d", ["X-Forwarded-For": "203.0.113.1"]) == 401) }
        // Each wait is twice the one before: sooner or later it is longer than a request takes.
        try await eventually("the next guess is refused") {
            try await failedLogin(url, "d", ["X-Forwarded-For": "203.0.113.1"]) == 429
        }
        #expect(try await failedLogin(url, "d", ["X-Forwarded-For": "203.0.113.1, 203.0.113.2"]) == 401)
        await nginx.stop()
        await server.remove()
    }

    /// Who is not trusted is believed nothing: a client that comes straight, and a proxy that the configuration does not
    /// name.
    @Test(arguments: ["", "proxies: {trusted: [\"192.0.2.1\", \"10.0.0.0/8\"]},"])
    func strangers(proxies: String) async throws {
        let server = try await server(proxies)
        let nginx = try await Nginx.proxy(to: server.url)
        let boss = try await server.caller(user: "boss", role: "operator")
        let token = try #require(boss.token)
        for url in [server.url, "http://\(nginx.endpoint)/haul"] {
            let headers: HTTPHeaders = ["X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"]
            let id = try await get(url, "/jobs", token, headers).status
            #expect(id == 200)
            let client = HTTPClient()
            var fields = headers
            fields.set("Authorization", "Bearer \(token)")
            let made = try await client.send(
                HTTPClientRequest(
                    method: "POST", url: url + WirePath.root + "/list", headers: fields,
                    body: Array(#"{"src_siteid": 1, "src_filepath": "/x"}"#.utf8)))
            #expect(made.status == 200)
            await client.close()
        }
        let record = try await boss.get("/audit?user=boss&action=job.register")
        #expect(record.json.array?.count == 2)
        #expect(record.json.array?.allSatisfy { $0["address"] == "127.0.0.1" } == true, "\(record)")
        await nginx.stop()
        await server.remove()
    }

    @Test(arguments: [
        (#"proxies: {trusted: ["localhost"]},"#, "numeric addresses"),
        ("proxies: {trusted: [\"10.0.0.1/8\"]},", "numeric addresses"),
        (#"proxies: {trusted: [], header: "X-Real-IP"},"#, "X-Forwarded-For or Forwarded"), ("proxies: {},", "trusted"),
    ])
    func configuration(more: String, words: String) async throws {
        var settings = LiveServer.Settings()
        settings.more = more
        let server = try LiveServer(settings)
        try server.configure(port: 0)
        let run = try await ProgramRun("hauld", ["--config", server.config], atMost: .seconds(30))
        #expect(run.code == 2 && run.errors.contains(words), "\(run)")
        await server.remove()
    }
}
