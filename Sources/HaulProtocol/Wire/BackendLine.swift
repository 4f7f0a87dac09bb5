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
    public func line() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        var data =
            switch self {
            case .log(let id, let text): try encoder.encode(Log(type: "log", id: id, text: text))
            case .progress(let id, let progress): try encoder.encode(Progress(id: id, progress))
            case .entries(let id, let directory, let entries):
                try encoder.encode(
                    Entries(type: "entries", id: id, directory: directory, entries: entries.map(Entry.init)))
            case .result(let id, let result): try encoder.encode(Result(id: id, result))
            case .ask(let id, let question):
                try encoder.encode(Typed(type: "ask", value: SourceQuestionDocument(id: id, question)))
            case .answer(let id, let answer):
                try encoder.encode(Typed(type: "answer", value: SourceAnswerDocument(id: id, answer)))
            }
        data.append(UInt8(ascii: "\n"))
        return data
    }

    /// Reads a line, its newline left out.
    /// - Throws: ``WireError``.
    public init(line: Data) throws(WireError) {
        let decoder = JSONDecoder()
        do {
            let head = try decoder.decode(Head.self, from: line)
            if line.count > Self.longest, head.type != "entries" { throw WireError("is longer than 1 MiB") }
            switch head.type {
            case "log":
                let log = try decoder.decode(Log.self, from: line)
                self = .log(id: log.id, text: log.text)
            case "progress":
                let progress = try decoder.decode(Progress.self, from: line)
                self = .progress(id: progress.id, try progress.value())
            case "entries":
                let chunk = try decoder.decode(Entries.self, from: line)
                if chunk.entries.count > Self.mostEntries { throw WireError("holds more than 1,000 entries") }
                self = .entries(id: chunk.id, directory: chunk.directory, try chunk.entries.map { try $0.value() })
            case "result":
                let result = try decoder.decode(Result.self, from: line)
                self = .result(id: result.id, try result.value())
            case "ask":
                let question = try decoder.decode(SourceQuestionDocument.self, from: line)
                self = .ask(id: question.id, try question.value())
            case "answer":
                let answer = try decoder.decode(SourceAnswerDocument.self, from: line)
                self = .answer(id: answer.id, try answer.value())
            default: throw WireError("has an unknown type")
            }
        } catch let error as WireError {
            throw error
        } catch {
            throw WireError(decoding: error)
        }
    }
}
