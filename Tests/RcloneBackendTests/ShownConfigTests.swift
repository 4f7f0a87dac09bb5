import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import haul_rclone

/// What a job's user shows as an rclone.conf, which could do all that the worker can.
@Suite(.timeLimit(.minutes(10))) struct ShownConfigTests {
    private func text(_ file: String, remote: String = "mine:/a", type: String? = "webdav") throws -> String {
        let options: [String: JSONValue] = ["remote": .string(remote)].merging(
            type.map { ["type": .string($0)] } ?? [:]
        ) { $1 }
        let site = SiteSpec(site: "s", options: options, isShownByUser: true)
        return try RcloneConfig([("source", site, file)]).text
    }

    @Test func whoSomebodyIs() throws {
        let file = "# of alice\r\n[ mine ]\r\ntype=webdav\nuser : alice\n\npass = a=b:c d\n"
        let expected = "[mine]\ntype = webdav\nuser = alice\npass = a=b:c d\n\n[haul-source]\ntype = alias\nremote = "
        #expect(try text(file) == expected + "mine:/a\n\n")
        let remote = "mine,url=\"http://h:1/\",vendor=other:/a"
        #expect(try text(file, remote: remote) == expected + remote + "\n\n")
        let token = "[mine]\ntype = drive\ntoken = {\"access_token\":\"x\",\"expiry\":\"2030-01-01T00:00:00Z\"}\n"
        #expect(try text(token, type: "drive").hasPrefix(token))
    }

    @Test(arguments: [
        // The worker's files, by themselves or by another name.
        "[mine]\ntype = local\n", "[mine]\ntype = alias\nremote = /etc\n",
        "[mine]\ntype = webdav\n[webdav]\ntype = local\n", "[mine]\ntype = webdav\ntype = local\n",
        "[mine]\ntype = local\ntype = webdav\n", "[mine]\nTYPE = webdav\n", "[mine]\n\"type\" = webdav\n",
        "[mine]\ntype = webdav\nremote = :local:/\n", "[mine]\ntype = webdav\nclient_cert = /etc/shadow\n",
        // Its programs.
        "[mine]\ntype = webdav\nbearer_token_command = touch /tmp/x\n", "[mine]\ntype = webdav\nssh = sh\n",
        "[mine]\ntype = webdav\nbearer_token_command : touch /tmp/x\n",
        "[mine]\ntype = webdav\n  bearer_token_command = x\n", "[mine]\ntype = webdav\n\tset_env=1\n",
        // Whom it speaks to.
        "[mine]\ntype = webdav\nurl = http://169.254.169.254/\n", "[mine]\ntype = webdav\nhost = localhost\n",
        // What the parser takes for more than a line.
        "[mine]\ntype = webdav\nuser = a\\\nbearer_token_command = x\n",
        "[mine]\ntype = webdav\nuser = \"\"\"a\n\"\"\"\n",
        "[mine]\ntype = webdav\nuser = `a\nurl = x`\n", "[mine]\ntype = webdav\nuser = %(pass)s\n",
        "[mine]\ntype = webdav\nuser = a\rurl = http://h/\n", "[mine]\ntype = webdav\nuser = a\u{0}b\n",
        "[mine]\ntype = webdav\npass = \u{600}%(pass)s\u{600}%(pass)s\n", "[mine]\ntype = webdav\nuser = a\u{301}\\\n",
        "[mine]\ntype = webdav\nuser = \"\u{301}a\n", "[mine]\ntype = webdav\naccount = 10.0.0.5:8443/x\n",
        "[mine]\ntype = webdav\naccess_grant = x\n",
        // None of the site's.
        "[other]\ntype = webdav\n", "type = webdav\n[mine]\n", "type = webdav\n", "", "[mine]\n", "[]\ntype = webdav\n",
        "my-secret", "[mine]\ntype = webdav\nmy-secret\n", "[mine]\ntype = webdav\nmy-secret = x\n",
    ])
    func whatElseItCouldSay(file: String) {
        let failure = #expect(throws: BackendFailure.self) { try text(file) }
        #expect(failure?.errorClass == .invalid && failure?.reason.contains("my-secret") == false)
    }

    /// A site that does not say of which type takes none; one whose remote names no section neither.
    @Test func sitesThatTakeNone() {
        let file = "[mine]\ntype = webdav\n"
        #expect(throws: BackendFailure.self) { try text(file, type: nil) }
        #expect(throws: BackendFailure.self) { try text(file, remote: ":webdav,url=\"http://h/\":/") }
    }

    /// The real thing: a server that asks who it is, whose place the site says; and the attack, which reads nothing.
    @Test func atAServer() async throws {
        try await Bench.with { bench in
            let rclone = try #require(ToolPath.find("rclone"))
            let server = try await Child.start(
                Command(
                    executable: rclone,
                    arguments: [
                        "serve", "webdav", "--addr", "127.0.0.1:0", "--user", "alice", "--pass", "secret", bench.root,
                    ], output: .null, errors: .pipe))
            var said = ""
            while !said.contains("127.0.0.1:"), let data = await server.errors?.read() {
                said += String(decoding: data, as: UTF8.self)
            }
            let port = try #require(said.firstMatch(of: /127\.0\.0\.1:(\d+)/)?.1, "\(said)")
            try Data("content".utf8).write(to: URL(fileURLWithPath: bench.root + "/f"))
            let hidden = try bench.local("hidden", Data("the worker's".utf8))
            let remote = "mine,url=\"http://127.0.0.1:\(port)/\",vendor=other:"
            func get(_ file: String, _ name: String) async throws -> Bench.Outcome {
                try await bench.one(
                    .get, name, bench.folder + "/got", options: ["overwrite": "always"], remote: remote,
                    config: bench.local("conf", Data(file.utf8)), type: "webdav", isShownByUser: true)
            }
            let obscured = try await Self.obscured("secret", rclone)
            let good = try await get("[mine]\ntype = webdav\nuser = alice\npass = \(obscured)\n", "/f")
            #expect(good.result.isOK, "\(good)")
            #expect(FileManager.default.contents(atPath: bench.folder + "/got") == Data("content".utf8))
            let nobody = try await get("[mine]\ntype = webdav\n", "/f")
            #expect(nobody.result.errorClass == .auth, "\(nobody)")
            let mark = bench.folder + "/mark"
            for attack in [
                "[mine]\ntype = local\n", "[mine]\ntype = webdav\nbearer_token_command = touch \(mark)\n",
            ] {
                let outcome = try await get(attack, hidden)
                #expect(outcome.result.errorClass == .invalid, "\(outcome)")
            }
            #expect(FileManager.default.contents(atPath: bench.folder + "/got") == Data("content".utf8))
            #expect(!FileManager.default.fileExists(atPath: mark))
            server.signal(SIGKILL)
            _ = await server.wait()
        }
    }

    private static func obscured(_ password: String, _ rclone: String) async throws -> String {
        let child = try await Child.start(
            Command(executable: rclone, arguments: ["obscure", password], output: .pipe, errors: .null))
        var text = ""
        while let data = await child.output?.read() { text += String(decoding: data, as: UTF8.self) }
        _ = await child.wait()
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
