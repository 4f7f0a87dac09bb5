import Foundation
import HaulConfig
import HaulHTTP
import HaulModel
import HaulProtocol

/// A parser of what comes from outside. It may refuse anything; it may not crash, hang, or contradict itself.
enum Parser: String, CaseIterable {
    /// Config files, as JSON5.
    case config
    /// Bodies of requests and answers.
    case json
    /// Lines between workers and backends.
    case wire
    /// Lines of listings, and what is made of them.
    case listing
    /// Paths and queries of requests.
    case target
    /// What FTP servers answer, and the facts of files in it.
    case ftp
    /// Packets of SFTP servers.
    case sftp
    /// What WebDAV servers list.
    case multistatus
    /// What S3 servers answer.
    case xml

    func feed(_ data: Data) {
        switch self {
        case .config: config(data)
        case .json: json(data)
        case .wire: wire(data)
        case .listing: listing(data)
        case .target: target(data)
        case .ftp: ftp(data)
        case .sftp: sftp(data)
        case .multistatus: multistatus(data)
        case .xml: _ = XMLTree.parse(data)
        }
    }

    private func config(_ data: Data) {
        let text = String(decoding: data, as: UTF8.self)
        _ = try? ConfigFile.parse(JSONValue.self, text: text, name: "fuzz", environment: ["HOME": "/h", "EMPTY": ""])
    }

    /// What was read is written, and read again as the same.
    private func json(_ data: Data) {
        guard let value = try? JSONReader.value(Array(data)) else { return }
        var writer = JSONWriter()
        writer.value(value)
        guard let again = try? JSONReader.value(writer.bytes) else { contradiction("\(value) is written as no JSON") }
        if again != value { contradiction("\(value) is read as \(again)") }
    }

    private func wire(_ data: Data) {
        _ = try? BackendLine(line: data)
        _ = try? BackendCommand(line: data)
    }

    private func listing(_ data: Data) {
        guard let line = ListingLineCodec.decode(Array(data)[...]) else { return }
        var bytes: [UInt8] = []
        ListingLineCodec.encode(line, into: &bytes)
        if ListingLineCodec.decode(bytes.dropLast()) != line { contradiction("\(line) is read as something else") }
        for form in [ListingJSON.Form.short, .long] {
            var json = ListingJSON(form: form)
            let text = json.encode([line, line]) + json.finish()
            if (try? JSONReader.value(text))?.object == nil { contradiction("\(line) is shown as no JSON") }
        }
    }

    private func target(_ data: Data) {
        let head = HTTPRequestHead(method: "GET", target: String(decoding: data, as: UTF8.self))
        if head.pathSegments.contains(where: { $0.utf8.contains(0) }), !head.hasInvalidEncoding {
            contradiction("a NUL is let through")
        }
    }

    /// In whatever pieces an answer comes, it is the same.
    private func ftp(_ data: Data) {
        var (whole, pieces) = (FTPReplyParser(), FTPReplyParser())
        whole.add(data)
        let expected = Self.replies(&whole)
        var found: [FTPReply] = []
        for byte in data {
            pieces.add(Data([byte]))
            let more = Self.replies(&pieces)
            found += more.replies
            if more.isNonsense { break }
        }
        if found != expected.replies { contradiction("\(expected.replies) comes in pieces as \(found)") }
        for line in expected.replies.flatMap(\.lines) { _ = FactLine(line) }
        _ = FactLine(data)
    }

    private static func replies(_ parser: inout FTPReplyParser) -> (replies: [FTPReply], isNonsense: Bool) {
        var replies: [FTPReply] = []
        do {
            while let reply = try parser.next() { replies.append(reply) }
            return (replies, false)
        } catch { return (replies, true) }
    }

    private func sftp(_ data: Data) {
        _ = try? SFTPReply.decode(data)
        _ = try? SFTPReply.decodeHello(data)
        _ = try? SFTPLimits(data)
    }

    private func multistatus(_ data: Data) {
        _ = PlainMultistatus.parse(data) { _ in }
    }

    private func contradiction(_ text: String) -> Never { fatalError("\(rawValue): \(text)") }
}
