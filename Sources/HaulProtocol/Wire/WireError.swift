public import HaulModel

/// Why a line of the wire is no line of the contract: the end of a sentence that starts with "the line".
public typealias WireError = JSONFieldError

extension WireError {
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
