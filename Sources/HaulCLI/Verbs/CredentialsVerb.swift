import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let credentials = Verb(
        name: "credentials", summary: "what you show at sites; put one, have one fetched, or remove some",
        operands: "[put KIND FILE | myproxy [NAME] | remove ID...]", count: 0...1000,
        completes: .words(["put", "myproxy", "remove"]),
        options: [
            .value("site", "SITE", "put, myproxy: where it is shown; else wherever its kind is asked for"),
            .value("server", "HOST:PORT", "myproxy: another server than the usual one"),
            .number("hours", "N", "myproxy: for how long the proxy shall be good; 12 else"),
            .value("user", "NAME", "whose, for operators"),
        ],
        notes: [
            "KIND is ssh-key, x509-proxy, bearer, http-password, s3-key ...: what the site's protocol asks for. FILE holds it,",
            "- is standard input. The server keeps it sealed, and gives it to workers that run your jobs, and to nobody else.",
        ]
    ) { invocation in
        let words = invocation.arguments.operands
        switch words.first {
        case nil: try await list(invocation)
        case "put" where words.count == 3: try await put(words[1], words[2], invocation)
        case "myproxy" where words.count <= 2: try await logon(words.dropFirst().first, invocation)
        case "remove" where words.count > 1: try await remove(invocation)
        default:
            throw CLIError.usage(
                "say nothing, put KIND FILE, myproxy [NAME], or remove ID...", hint: "haul help credentials shows how")
        }
        return .ok
    }

    private static func list(_ invocation: Invocation) async throws {
        let columns = ["ID", "KIND", "SITE", "EXPIRES", "SUBJECT"].map {
            Table.Column(title: $0, isPath: $0 == "SUBJECT")
        }
        let query = invocation.arguments["user"].map { [("user", $0)] } ?? []
        try await Rows.print(columns, "/credentials", query, CredentialDocument.self, invocation, row: row)
    }

    @Sendable private static func row(_ credential: CredentialDocument) -> [String] {
        let expires = credential.expires.map { $0 + (credential.expired ? " (expired)" : "") }
        return [
            "\(credential.id)", credential.kind, credential.site ?? "*", expires ?? "-", credential.subject ?? "-",
        ]
    }

    private static func put(_ kind: String, _ file: String, _ invocation: Invocation) async throws {
        guard let secret = String(data: try InputFile.read(file, "the \(kind)"), encoding: .utf8) else {
            throw CLIError.usage("\(file) is no text", hint: "name the file that holds the \(kind)")
        }
        var document: [String: JSONValue] = ["kind": .string(kind), "secret": .string(secret)]
        document["site"] = invocation.arguments["site"].map { .string($0) }
        try await show(
            invocation.server().change("PUT", "/credentials", try ServerConnection.encode(document)), invocation)
    }

    private static func logon(_ name: String?, _ invocation: Invocation) async throws {
        var document: [String: JSONValue] = [:]
        document["username"] = name.map { .string($0) }
        for option in ["site", "server"] { document[option] = invocation.arguments[option].map { .string($0) } }
        document["hours"] = try invocation.arguments.number("hours", in: 1...8760).map { .int($0) }
        document["passphrase"] = .string(try SecretPrompt.ask("MyProxy passphrase: "))
        try await show(
            invocation.server().change("POST", "/myproxy", try ServerConnection.encode(document)),
            invocation)
    }

    private static func show(_ answer: [UInt8], _ invocation: Invocation) async throws {
        if invocation.isJSON { return await invocation.output.bytes(answer + [0x0A]) }
        let cells = row(try ServerConnection.decode(CredentialDocument.self, answer))
        await invocation.output.line(cells.map(Printable.line).joined(separator: "\t"))
    }

    private static func remove(_ invocation: Invocation) async throws {
        let ids = try invocation.arguments.operands.indices.dropFirst().map { try invocation.id($0, "a credential") }
        let server = try await invocation.server()
        for id in ids {
            _ = try await server.change("DELETE", "/credentials/\(id)")
            if !invocation.isJSON { await invocation.output.line("credential \(id) is removed") }
        }
    }
}
