import Foundation
import HaulProtocol

@testable import haul_xrootd

extension Parser {
    static let xrootd = [Parser(name: "xrdfs", feed: xrdfs), Parser(name: "xrootd", feed: complaint)]

    /// What `ls -l` and `stat` of xrdfs print.
    private static func xrdfs(_ data: Data) throws {
        let lines = data.split(separator: UInt8(ascii: "\n"))
        for directory in [RemotePath.root, try RemotePath("/a", home: "/")] {
            for line in lines {
                guard let entry = try? ListingLine.entry(line, in: directory, shown: directory.text) else { continue }
                try holdEntry(entry)
            }
        }
        let texts = lines.map { String(decoding: $0, as: UTF8.self) }
        if let stat = try? Stat(texts, of: "/a") {
            try holdEntry(stat.entry(named: "a"))
            try hold((stat.facts.modified ?? 0).magnitude < 1 << 40, "\(stat)")
        }
    }

    /// What the tools complain of, and paths as their shell quotes them.
    private static func complaint(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        try holdReason(Complaint.failure(text, "cannot look at /a", about: ["/a/not a directory", "/a"]))
        _ = Complaint.quote(text)
        guard let path = try? RemotePath(text, home: "/h") else { return }
        let names = path.text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        try hold(names[0].isEmpty && (names.count == 2 || !names.dropFirst().contains(where: \.isEmpty)), "\(text)")
        try hold(try RemotePath(path.text, home: "/h") == path, "\(path.text) is another path")
        try hold(unquoted(path.quoted) == path.text, "\(path.text) is quoted as \(path.quoted)")
    }

    /// One word as xrdfs reads it: no escapes, two kinds of quotes; nil where it is none or more.
    private static func unquoted(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var quote: UInt8?
        for byte in text.utf8 {
            if let open = quote {
                if byte == open { quote = nil } else { bytes.append(byte) }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else {
                return nil
            }
        }
        return quote == nil ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
