import Foundation
import HaulModel
import HaulProtocol

@testable import haul_rclone

extension Parser {
    static let rclone = [Parser(name: "rclone", feed: answer), Parser(name: "rclone-text", feed: text)]

    /// What rclone's remote control answers: `operations/list`, `stat`, `fsinfo`.
    private static func answer(_ data: Data) throws {
        let found = try? RemoteControl.parse(data)
        let body = found?.body ?? data
        try hold(data.suffix(body.count) == body, "an answer's end is another")
        guard let answer = try? JSONDecoder().decode(JSONValue.self, from: body), let object = answer.object else {
            return
        }
        _ = Abilities(object).publication
        let items = (object["list"]?.array ?? []) + [object["item"] ?? .null, answer]
        for stat in items.compactMap({ Stat($0) }) {
            try hold((stat.facts.modified ?? 0).magnitude < 1 << 40, "\(stat)")
            guard let name = try? EntryName.text(stat.name.utf8, in: "/d") else { continue }
            try holdEntry(stat.entry(named: name))
        }
    }

    /// What it complains of; a configuration; paths.
    private static func text(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        try holdReason(Complaint.failure(text, "cannot look at /a", about: ["a/not a directory", "a"]))
        let spec = SiteSpec(site: "a", options: ["remote": "a:"])
        let other = try? RcloneConfig([("source", spec, text), ("destination", spec, "[other]\ntype = local\n")])
        if let other {
            try hold(other.text.contains("[haul-source]") && other.text.contains("[haul-destination]"), "\(other)")
        }
        if let path = try? RemotePath(text) {
            try hold(try RemotePath("./" + path.text) == path, "\(path.text) is another path")
            let slash = UInt8(ascii: "/")
            try hold(path.text.utf8.first != slash && path.text.utf8.last != slash, "\(text) is \(path.text)")
        }
    }
}
