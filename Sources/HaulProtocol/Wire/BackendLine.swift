public import Foundation
public import HaulModel

/// One line of a backend's standard output.
public enum BackendLine: Sendable, Hashable {
    case log(id: String, text: String)
    case progress(id: String, TransferProgress)
    case entries(id: String, directory: String, [ListingEntry])
    case result(id: String, ElementResult)
    /// From a putting backend: what it wants of the element's source.
    case ask(id: String, SourceQuestion)
    /// From a getting backend: what it was asked.
    case answer(id: String, SourceAnswer)

    /// The most bytes of a line, its newline left out.
    public static let longest = 1 << 20
    /// The most bytes of an `entries` line.
    public static let longestEntries = 4 << 20
    /// The most entries of an `entries` line.
    public static let mostEntries = 1000

    public var id: String {
        switch self {
        case .log(let id, _), .progress(let id, _), .entries(let id, _, _), .result(let id, _), .ask(let id, _),
            .answer(let id, _):
            id
        }
    }
}

extension BackendLine {
    /// The line, its newline included.
    public func line() -> Data {
        var writer = JSONWriter(capacity: 256)
        writer.object { write(to: &$0) }
        var data = Data(writer.bytes)
        data.append(UInt8(ascii: "\n"))
        return data
    }

    /// Reads a line, its newline left out.
    /// - Throws: ``WireError``.
    public init(line: Data) throws(WireError) {
        let fields = try JSONFields([UInt8](line))
        let type = try fields.text("type")
        if line.count > Self.longest, type != "entries" { throw WireError("is longer than 1 MiB") }
        switch type {
        case "log": self = .log(id: try fields.text("id"), text: try fields.text("text"))
        case "progress": self = .progress(id: try fields.text("id"), try TransferProgress(fields))
        case "entries":
            let id = try fields.text("id")
            let directory = try fields.text("directory")
            let objects = try fields.objects("entries")
            if objects.count > Self.mostEntries { throw WireError("holds more than 1,000 entries") }
            var entries: [ListingEntry] = []
            entries.reserveCapacity(objects.count)
            for object in objects { entries.append(try ListingEntry(object)) }
            self = .entries(id: id, directory: directory, entries)
        case "result": self = .result(id: try fields.text("id"), try ElementResult(fields))
        case "ask": self = .ask(id: try fields.text("id"), try SourceQuestion(fields))
        case "answer": self = .answer(id: try fields.text("id"), try SourceAnswer(fields))
        default: throw WireError("has an unknown type")
        }
    }
}
