import Foundation
import HaulModel
import HaulProtocol

@testable import haul_gridftp

extension Parser {
    static let gridftp = [Parser(name: "ftp", feed: ftp), Parser(name: "facts", feed: facts)]

    /// What FTP servers answer: in whatever pieces it comes, it is the same.
    private static func ftp(_ data: Data) throws {
        var (whole, pieces) = (FTPReplyParser(), FTPReplyParser())
        whole.add(data)
        let expected = replies(&whole)
        var found: [FTPReply] = []
        for byte in data {
            pieces.add(Data([byte]))
            let more = replies(&pieces)
            found += more.replies
            if more.isNonsense { break }
        }
        try hold(found == expected.replies, "\(expected.replies) comes in pieces as \(found)")
        for reply in expected.replies { try meaning(of: reply) }
        try holdReason(GSIComplaint.failure(.exited(4), String(decoding: data, as: UTF8.self)))
    }

    private static func replies(_ parser: inout FTPReplyParser) -> (replies: [FTPReply], isNonsense: Bool) {
        var replies: [FTPReply] = []
        do {
            while let reply = try parser.next() { replies.append(reply) }
            return (replies, false)
        } catch { return (replies, true) }
    }

    private static func meaning(of reply: FTPReply) throws {
        var reply = reply
        reply.paths = ["/a/permission denied", "/a"]
        try holdReason(ReplyTable.failure(reply, "RETR /a"))
        _ = ServerFeatures(reply)
        if let home = ServerFeatures.directory(reply) { try hold(home.hasPrefix("/"), "\(home) is no home") }
        if let address = DataTransfer.passive(reply) {
            try hold(DataNodes.number(address.host) != nil, "\(address) is no address")
            try hold((0...65535).contains(address.port), "\(address) has no port")
        }
        if let port = DataTransfer.extended(reply) { try hold((1...65535).contains(port), "\(port) is no port") }
        _ = try? Server.fact(reply, RemotePath("/a", home: "/"))
    }

    /// Facts of files, a line each: as MLSD, and as MLSC tells them.
    private static func facts(_ data: Data) throws {
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for line in lines {
            guard let fact = FactLine(line) else { continue }
            for follow in [false, true] {
                if let entry = try? fact.entry(in: "/d", follow: follow) { try holdEntry(entry) }
            }
            if let modified = fact.modified, let stamp = FactLine.stamp(modified) {
                try hold(FactLine.seconds(stamp) == modified, "\(stamp) is another time")
            }
        }
        for indented in [false, true] {
            guard let directory = try? DirectoryFacts(lines[...], of: "/d", indented: indented) else { continue }
            try hold(directory.entries.count <= lines.count && directory.unlisted >= 0, "\(directory)")
        }
    }
}
