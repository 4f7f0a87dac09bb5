import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let sites = Verb(
        name: "sites", summary: "the sites that a job may name; show one, or make, change, close and remove some",
        operands: "[show SITE | add FILE | change SITE FILE | ban SITE REASON | open SITE | remove SITE]", count: 0...3,
        completes: .words(["show", "add", "change", "ban", "open", "remove"]),
        notes: [
            "A line a site: its id, name and protocol, its limits (in,out), and why it is closed, if it is.",
            "FILE holds a JSON object, - is standard input: {\"name\": \"lab\", \"protocol\": \"ssh\", \"endpoints\": [\"HOST:22\"],",
            "\"options\": {...}, \"root\": \"/data\", \"limits\": {\"in\": 4}, \"users\": [...], \"groups\": [...]}; change takes any of these.",
        ]
    ) { invocation in
        let words = invocation.arguments.operands
        switch (words.first, words.count) {
        case (nil, _): try await list(invocation)
        case ("show", 2):
            let answer = try await invocation.server().get(path(words[1]))
            await invocation.output.bytes(answer + [0x0A])
        case ("add", 2):
            try await send("POST", "/sites", Array(try InputFile.read(words[1], "the site, as JSON")), invocation)
        case ("change", 3):
            try await send(
                "PATCH", path(words[1]), Array(try InputFile.read(words[2], "the change, as JSON")), invocation)
        case ("ban", 3):
            try await send(
                "PATCH", path(words[1]), try ban(.string(words[2])), invocation)
        case ("open", 2):
            try await send("PATCH", path(words[1]), try ban(.null), invocation)
        case ("remove", 2):
            _ = try await invocation.server().change("DELETE", path(words[1]))
            if !invocation.isJSON { await invocation.output.line(Printable.line("site \(words[1]) is removed")) }
        default: throw CLIError.usage("say what to do with which site", hint: "haul help sites shows how")
        }
        return .ok
    }

    private static func ban(_ reason: JSONValue) throws -> [UInt8] { try ServerConnection.encode(["banned": reason]) }

    private static func path(_ site: String) -> String { "/sites/\(ServerConnection.escape(site))" }

    private static func list(_ invocation: Invocation) async throws {
        let titles = ["ID", "NAME", "PROTOCOL", "LIMITS", "CLOSED"]
        let columns = titles.map { Table.Column(title: $0, isPath: $0 == "CLOSED") }
        try await Rows.print(columns, "/sites", [], SiteDocument.self, invocation, row: row)
    }

    @Sendable private static func row(_ site: SiteDocument) -> [String] {
        let limits = ["in", "out"].map { way in site.limits?[way].map(String.init) ?? "-" }.joined(separator: ",")
        return ["\(site.id)", site.name, site.protocol, limits, site.banned ?? "-"]
    }

    private static func send(_ method: String, _ path: String, _ body: [UInt8], _ invocation: Invocation) async throws {
        let answer = try await invocation.server().change(method, path, body)
        if invocation.isJSON { return await invocation.output.bytes(answer + [0x0A]) }
        let cells = row(try ServerConnection.decode(SiteDocument.self, answer))
        await invocation.output.line(cells.map(Printable.line).joined(separator: "\t"))
    }
}
