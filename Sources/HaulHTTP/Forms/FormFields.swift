/// The fields of a form, in the order in which they stand in the body: `application/x-www-form-urlencoded` (WHATWG URL,
/// 5.1) or `multipart/form-data` (RFC 7578).
public struct FormFields: Sendable {
    /// Fields that a form may have, unless somebody says otherwise.
    public static let usual = 1000

    public private(set) var fields: [(name: String, value: String)] = []
    private let most: Int

    /// The fields of a request's body; none where it has none.
    ///
    /// - Parameter most: fields that it may have.
    /// - Throws: what is wrong with the body.
    public init(_ request: HTTPRequest, most: Int = usual) throws(FormProblem) {
        self.most = most
        guard !request.body.isEmpty else { return }
        let header = request.headers["Content-Type"] ?? "application/x-www-form-urlencoded"
        let type = header.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        switch type {
        case "application/x-www-form-urlencoded": try readPairs(request.body)
        case "multipart/form-data":
            guard let boundary = MultipartReader.boundary(of: header) else {
                throw .malformed("the Content-Type names no boundary")
            }
            var reader = MultipartReader(request.body, boundary: boundary)
            while let part = try reader.next() { try append(part.name, part.content) }
        default: throw .unknownType(String(type.prefix(64)))
        }
    }

    private mutating func readPairs(_ body: [UInt8]) throws(FormProblem) {
        // What is behind as many as there may be is not looked at.
        for pair in body.split(separator: UInt8(ascii: "&"), maxSplits: most) {
            try checkCount()
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            let name = try Self.decoded(pair[..<(equals ?? pair.endIndex)])
            let value = try equals.map { (place) throws(FormProblem) in try Self.decoded(pair[(place + 1)...]) } ?? []
            guard let text = String(validating: name, as: UTF8.self) else { throw .malformed("a name is no UTF-8") }
            try append(text, value[...])
        }
    }

    private mutating func append(_ name: String, _ value: ArraySlice<UInt8>) throws(FormProblem) {
        try checkCount()
        guard let text = String(validating: value, as: UTF8.self) else {
            throw .malformed("the value of \"\(name.prefix(64))\" is no UTF-8")
        }
        fields.append((name, text))
    }

    private func checkCount() throws(FormProblem) {
        guard fields.count < most else { throw .malformed("it has more than \(most) fields") }
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) throws(FormProblem) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                result.append(0x20)
            } else if byte != UInt8(ascii: "%") {
                result.append(byte)
            } else {
                guard let high = rest.popFirst().flatMap(hex), let low = rest.popFirst().flatMap(hex) else {
                    throw .malformed("it holds a percent escape that is none")
                }
                result.append(high << 4 | low)
            }
        }
        return result
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).isASCII ? Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) : nil
    }
}

/// Why a body is no form.
public enum FormProblem: Error, Sendable, Hashable {
    /// In a few words: what is wrong.
    case malformed(String)
    /// A media type that is none of a form.
    case unknownType(String)
}
