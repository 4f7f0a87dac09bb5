import Foundation
import HaulModel
import HaulWire
import HaulWorker

@testable import HaulProtocol

extension Parser {
    /// Between server, worker and backend.
    static let wires = [
        Parser(name: "wire", feed: wire), Parser(name: "listing", feed: listing), Parser(name: "claim", feed: claim),
        Parser(name: "redactor", feed: redactor),
    ]

    /// Lines of backends and for them: what was read is written, and read again as the same, in whatever pieces it comes.
    private static func wire(_ data: Data) throws {
        if let line = try? BackendLine(line: data) {
            var (line, again) = (line, try reread(line.line()))
            // Of seconds and rates three digits are written behind the point.
            if case .progress = line { (line, again) = (again, try reread(again.line())) }
            try hold(again == line, "\(line) is read as \(again)")
        }
        if let command = try? BackendCommand(line: data) {
            let again = try? BackendCommand(line: try command.line().dropLast())
            try hold(again == command, "\(command) is read as \(String(describing: again))")
        }
        var (whole, pieces) = (LineSplitter(limit: 64), LineSplitter(limit: 64))
        whole.add(data)
        var (expected, found): ([LineSplitter.Piece], [LineSplitter.Piece]) = ([], [])
        while case .line(let line)? = whole.next() { expected.append(.line(line)) }
        for byte in data {
            pieces.add(Data([byte]))
            guard case .line(let line)? = pieces.next() else { continue }
            found.append(.line(line))
        }
        try hold(found.starts(with: expected), "\(expected) comes in pieces as \(found)")
    }

    /// A secret on the first line: whatever stands around it, it is gone.
    private static func redactor(_ data: Data) throws {
        let parts = data.split(separator: UInt8(ascii: "\n"), maxSplits: 1)
        guard let secret = parts.first.map({ String(decoding: $0, as: UTF8.self) }), parts.count == 2 else { return }
        let plain = secret.trimmingCharacters(in: .whitespaces)
        // What is put in its place is no secret.
        guard plain.utf8.count >= 6, !secret.utf8.contains(0x0D), !plain.contains(where: { "[redacted]".contains($0) })
        else { return }
        let text = String(decoding: parts[1], as: UTF8.self)
        let redactor = Redactor(contents: [Data(secret.utf8)])
        for text in [text, text + plain + text, plain + "\u{301}" + text] {
            let told = Data(redactor.redact(text).utf8)
            try hold(told.range(of: Data(plain.utf8)) == nil, "\(plain) is told in \(text)")
        }
    }

    /// Lines of listings, and what is made of them.
    private static func listing(_ data: Data) throws {
        if let value = try? JSONReader.value(Array(data)), let lines = ListingLine.lines(fromDocument: value) {
            for line in lines {
                try hold(line.entry.map { TransferPath.isName($0.name) } ?? true, "\(line) has no name")
            }
        }
        guard let line = ListingLineCodec.decode(Array(data)[...]) else { return }
        if let other = try? JSONDecoder().decode(ListingLine.self, from: data) {
            try hold(other == line, "\(line) is to Foundation \(other)")
        }
        var bytes: [UInt8] = []
        ListingLineCodec.encode(line, into: &bytes)
        try hold(ListingLineCodec.decode(bytes.dropLast()) == line, "\(line) is read as something else")
        for form in [ListingJSON.Form.short, .long] {
            var json = ListingJSON(form: form)
            let text = json.encode([line, line]) + json.finish()
            try hold((try? JSONReader.value(text))?.object != nil, "\(line) is shown as no JSON")
        }
    }

    /// What a server hands out to a worker, and answers to its reports: the quick reader takes it as Foundation does.
    private static func claim(_ data: Data) throws {
        if let fields = try? JSONFields(Array(data)) { _ = try? ResultsReply(fields) }
        guard let items = try? JSONFields.array(Array(data)) else { return }
        let jobs = items.compactMap { try? ClaimedJob($0) }
        for case .work(let assignment) in Claimed.read(jobs) {
            let spec = assignment.spec
            let line = try BackendCommand.element(spec).line().dropLast()
            try hold((try? BackendCommand(line: line)) == .element(spec), "\(spec) is read as another")
        }
        // Of a key that stands there twice each takes another.
        guard jobs.count == items.count, (try? JSONReader.value(Array(data), refusesDuplicates: true)) != nil,
            let others = try? JSONDecoder().decode([ClaimedJob].self, from: data)
        else {
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try hold(try encoder.encode(jobs) == encoder.encode(others), "two readers of a claim differ")
    }
}
