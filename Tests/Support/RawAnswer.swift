public import HaulHTTP

/// One answer of a server, read strictly from the bytes on the wire (RFC 9112): what a lenient client would forgive is an
/// error here.
public struct RawAnswer: Sendable {
    /// What is wrong with the bytes.
    public struct Malformed: Error, CustomStringConvertible {
        public let description: String
    }

    public let status: Int
    public let headers: HTTPHeaders
    public let body: [UInt8]

    /// The answers that a connection's bytes are, and nothing besides: each with one status line and exactly as many
    /// bytes of a body as its one Content-Length says. `100 Continue` is an answer of its own.
    ///
    /// - Throws: `Malformed` for anything else.
    public static func all(_ bytes: [UInt8]) throws -> [RawAnswer] {
        var answers: [RawAnswer] = []
        var rest = bytes[...]
        while !rest.isEmpty { answers.append(try RawAnswer(&rest)) }
        return answers
    }

    private init(_ rest: inout ArraySlice<UInt8>) throws {
        let line = try Self.line(&rest)
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0", words[1].utf8.count == 3,
            let status = Int(words[1]), (100...599).contains(status), !words[2].isEmpty
        else { throw Malformed(description: "a status line is expected, not \"\(line)\"") }
        var headers = HTTPHeaders()
        while case let line = try Self.line(&rest), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, !line.hasPrefix(" "),
                !line[..<colon].contains(" ")
            else { throw Malformed(description: "a header field is expected, not \"\(line)\"") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append(String(line[..<colon]), String(value))
        }
        let lengths = headers.all("Content-Length")
        let length: Int
        if status < 200 || status == 204 || status == 304 {
            guard lengths.isEmpty else { throw Malformed(description: "\(status) with a Content-Length") }
            length = 0
        } else {
            guard lengths.count == 1, let given = Int(lengths[0]), headers["Transfer-Encoding"] == nil else {
                throw Malformed(description: "one Content-Length is expected, not \(lengths)")
            }
            length = given
        }
        guard rest.count >= length else {
            throw Malformed(description: "\(rest.count) bytes of a body of \(length)")
        }
        self.status = status
        self.headers = headers
        body = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
    }

    private static func line(_ rest: inout ArraySlice<UInt8>) throws -> String {
        guard let end = rest.firstIndex(of: 0x0A), end > rest.startIndex, rest[end - 1] == 0x0D else {
            throw Malformed(description: "a line is expected: \(String(decoding: rest.prefix(200), as: UTF8.self))")
        }
        defer { rest = rest[(end + 1)...] }
        guard let line = String(validating: rest[..<(end - 1)], as: UTF8.self) else {
            throw Malformed(description: "a line that is no UTF-8")
        }
        return line
    }
}

extension RawConnection {
    /// The answers until the other side closes.
    public func answers(seconds: Double = 10) async throws -> [RawAnswer] {
        try RawAnswer.all(Array(await readToEnd(seconds: seconds).utf8))
    }

    /// The only answer, after which the other side closes.
    public func onlyAnswer(seconds: Double = 10) async throws -> RawAnswer {
        let answers = try await answers(seconds: seconds)
        guard answers.count == 1 else { throw RawAnswer.Malformed(description: "\(answers.count) answers, not one") }
        return answers[0]
    }
}
