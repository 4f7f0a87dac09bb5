public import Foundation

/// One line of a backend's standard input.
public enum BackendCommand: Sendable, Hashable {
    case batch(BatchSpec)
    case element(ElementSpec)
    case cancel(id: String)
}

extension BackendCommand {
    /// The line, its newline included.
    public func line() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var data =
            switch self {
            case .batch(let batch): try encoder.encode(Typed(type: "batch", version: BatchSpec.version, value: batch))
            case .element(let element): try encoder.encode(Typed(type: "element", version: nil, value: element))
            case .cancel(let id): try encoder.encode(Typed(type: "cancel", version: nil, value: Cancel(id: id)))
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
            case "cancel": self = .cancel(id: try decoder.decode(Cancel.self, from: line).id)
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

    private struct Cancel: Codable { var id: String }

    /// A document with its `type` (and `version`) beside its own keys.
    private struct Typed<Value: Encodable>: Encodable {
        var type: String
        var version: Int?
        var value: Value

        private enum CodingKeys: String, CodingKey { case type, version }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(type, forKey: .type)
            try container.encodeIfPresent(version, forKey: .version)
            try value.encode(to: encoder)
        }
    }
}
