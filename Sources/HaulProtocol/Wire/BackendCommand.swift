public import Foundation

/// One line of a backend's standard input.
public enum BackendCommand: Sendable, Hashable {
    case batch(BatchSpec)
    case element(ElementSpec)
    /// - Parameter keep: What a later attempt can go on from stays: the element was not given up.
    case cancel(id: String, keep: Bool = false)
    /// To a getting backend: what the other one wants of the element's source.
    case ask(id: String, SourceQuestion)
    /// To a putting backend: what it asked.
    case answer(id: String, SourceAnswer)
}

extension BackendCommand {
    /// The line, its newline included.
    public func line() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var data =
            switch self {
            case .batch(let batch): try encoder.encode(Typed(type: "batch", version: BatchSpec.version, value: batch))
            case .element(let element): try encoder.encode(Typed(type: "element", value: element))
            case .cancel(let id, let keep):
                try encoder.encode(Typed(type: "cancel", value: Cancel(id: id, keep: keep ? true : nil)))
            case .ask(let id, let question):
                try encoder.encode(
                    Typed(type: "ask", value: SourceQuestionDocument(id: id, question)))
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
            switch head.type {
            case "batch":
                guard head.version == BatchSpec.version else {
                    throw WireError("speaks version \(head.version ?? 0), this backend \(BatchSpec.version)")
                }
                self = .batch(try decoder.decode(BatchSpec.self, from: line))
            case "element": self = .element(try decoder.decode(ElementSpec.self, from: line))
            case "cancel":
                let cancel = try decoder.decode(Cancel.self, from: line)
                self = .cancel(id: cancel.id, keep: cancel.keep ?? false)
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

    private struct Head: Decodable {
        var type: String
        var version: Int?
    }

    private struct Cancel: Codable {
        var id: String
        var keep: Bool?
    }
}
