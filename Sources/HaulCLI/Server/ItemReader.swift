import HaulHTTP

/// Takes a stream of JSON apart into its objects, whether they stand a line each or in an array (or in arrays in it).
actor ItemReader {
    /// Bytes of one object; a longer one has to be read with `--json`.
    private static let limit = 256 << 20

    private let each: @Sendable ([UInt8]) async throws -> Void
    private(set) var isError = false
    private(set) var count = 0
    /// The body of an answer that is an error, its start.
    private(set) var rest: [UInt8] = []
    private var item: [UInt8] = []
    private var depth = 0
    private var brackets = 0
    private var isInString = false
    private var isEscaped = false

    init(_ each: @escaping @Sendable ([UInt8]) async throws -> Void) { self.each = each }

    func begin(_ head: HTTPClientResponse) { isError = head.status >= 400 }

    func take(_ bytes: [UInt8]) async throws {
        if isError {
            rest += bytes.prefix(max(0, (1 << 20) - rest.count))
            return
        }
        var start = 0
        for (index, byte) in bytes.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == 0x5C {
                    isEscaped = true
                } else if byte == 0x22 {
                    isInString = false
                }
            } else if byte == 0x22, depth > 0 {
                isInString = true
            } else if byte == UInt8(ascii: "{") {
                if depth == 0 { start = index }
                depth += 1
            } else if byte == UInt8(ascii: "}"), depth > 0 {
                depth -= 1
                if depth == 0 {
                    let whole = item + bytes[start...index]
                    item = []
                    start = index + 1
                    count += 1
                    try await each(whole)
                }
            } else if depth == 0 {
                try between(byte)
            }
        }
        guard depth > 0 else { return }
        item += bytes[start...]
        guard item.count <= Self.limit else {
            throw CLIError(code: .internal, message: "an answer of more than \(Self.limit) bytes", hint: "use --json")
        }
    }

    /// Looks at a byte between objects.
    private func between(_ byte: UInt8) throws {
        switch byte {
        case UInt8(ascii: "["): brackets += 1
        case UInt8(ascii: "]"): brackets -= 1
        case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D: break
        default: throw CLIError(code: .unreachable, message: "the server's answer is no list of documents")
        }
    }

    /// - Throws: where the stream ended within an object or an array.
    func finish() throws {
        guard depth == 0, brackets == 0 else { throw CLIError(code: .unreachable, message: "the list broke off") }
    }
}
