/// Why a line of the wire is no line of the contract.
public struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The end of a sentence that starts with "the line": `has no "id"`.
    public var description: String

    public init(_ description: String) { self.description = description }

    init(decoding error: any Error) {
        switch error as? DecodingError {
        case .keyNotFound(let key, _): self.init("has no \"\(key.stringValue)\"")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            self.init(path.isEmpty ? "is not an object" : "has a wrong \"\(path)\"")
        default: self.init("is not JSON")
        }
    }
}
