public import Foundation
public import HaulModel

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
        var data: Data
        if case .batch(let batch) = self {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
            data = try encoder.encode(Typed(type: "batch", version: BatchSpec.version, value: batch))
        } else {
            var writer = JSONWriter(capacity: 512)
            writer.object { write(to: &$0) }
            data = Data(writer.bytes)
        }
        data.append(UInt8(ascii: "\n"))
        return data
    }

    /// Reads a line, its newline left out.
    /// - Throws: ``WireError``.
    public init(line: Data) throws(WireError) {
        let fields = try JSONFields([UInt8](line))
        switch try fields.text("type") {
        case "batch":
            let version = try fields.optionalInteger("version")
            guard version == BatchSpec.version else {
                throw WireError("speaks version \(version ?? 0), this backend \(BatchSpec.version)")
            }
            do {
                self = .batch(try JSONDecoder().decode(BatchSpec.self, from: line))
            } catch {
                throw WireError(decoding: error)
            }
        case "element": self = .element(try ElementSpec(fields))
        case "cancel":
            self = .cancel(id: try fields.text("id"), keep: try fields.optionalFlag("keep") ?? false)
        case "ask": self = .ask(id: try fields.text("id"), try SourceQuestion(fields))
        case "answer": self = .answer(id: try fields.text("id"), try SourceAnswer(fields))
        default: throw WireError("has an unknown type")
        }
    }
}
