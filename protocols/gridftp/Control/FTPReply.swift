import Foundation

/// One reply of a server (RFC 959, 4.2): `250 OK.`, or several lines from `250-...` to `250 ...`.
struct FTPReply: Sendable, Equatable {
    var code: Int
    /// Each line as it came, without its end: the first and the last begin with the code.
    var lines: [Data]
    /// The paths of the commands that it answers: what of them is in its text is not the server's.
    var paths: [String] = []

    /// 1xx: another reply to the same command follows.
    var isMark: Bool { code < 200 }
    var isSuccess: Bool { (200..<300).contains(code) }

    /// All of it as text, for reading figures and complaints; a name in it may not be text.
    var text: String { lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n") }

    /// What stands after the code in the first line.
    var firstText: String { String(decoding: lines.first?.dropFirst(4) ?? Data(), as: UTF8.self) }
}

/// Cuts what a server sends into replies.
struct FTPReplyParser {
    /// What a server sends that is no reply.
    struct Nonsense: Error {
        let line: Data
    }

    /// Bytes that one reply may have: a listing of about a million names comes in one.
    static let longest = 256 << 20
    /// Bytes that one line may have: facts, the target of a link among them, and a name.
    static let longestLine = 1 << 16
    /// What a line costs besides its bytes: many empty ones shall not cost nothing.
    private static let lineCost = 64

    /// Whether the next reply may have several lines: where nobody expects that, it is none of the server's.
    var takesLines = true
    private var waiting = Data()
    /// Of ``waiting``: where the next line begins, and up to where it has no end.
    private var start = 0
    private var scanned = 0
    private var lines: [Data] = []
    private var bytes = 0

    mutating func add(_ data: Data) {
        // What is left of a large piece is not kept alive by a small rest.
        if start == waiting.count {
            waiting = data
        } else {
            waiting = Data(waiting.dropFirst(start)) + data
        }
        (start, scanned) = (0, max(0, scanned - start))
    }

    /// The next whole reply; nil where there is none yet.
    mutating func next() throws -> FTPReply? {
        while let line = try nextLine() {
            guard line.count <= Self.longestLine else { throw Self.endless("line") }
            let (code, isLead) = Self.code(line)
            if lines.isEmpty {
                guard let code else { throw Nonsense(line: line) }
                if isLead {
                    guard takesLines else { throw Nonsense(line: line) }
                    try keep(line)
                    continue
                }
                return FTPReply(code: code, lines: [line])
            }
            try keep(line)
            guard let code, !isLead, code == Self.code(lines[0]).code else { continue }
            defer {
                lines = []
                bytes = 0
            }
            return FTPReply(code: code, lines: lines)
        }
        return nil
    }

    private mutating func keep(_ line: Data) throws {
        lines.append(line)
        bytes += line.count + Self.lineCost
        guard bytes <= Self.longest else { throw Self.endless("reply") }
    }

    private static func endless(_ what: String) -> Nonsense { Nonsense(line: Data("a \(what) without end".utf8)) }

    private mutating func nextLine() throws -> Data? {
        let end: Int? = waiting.withUnsafeBytes { bytes in
            guard scanned < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + scanned, 10, bytes.count - scanned)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
        guard let end else {
            scanned = waiting.count
            guard scanned - start <= Self.longestLine else { throw Self.endless("line") }
            return nil
        }
        let base = waiting.startIndex
        var line = waiting[(base + start)..<(base + end)]
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        start = end + 1
        scanned = start
        return line
    }

    /// - Returns: Nil for a line that begins with none; `isLead` where more lines follow it.
    private static func code(_ line: Data) -> (code: Int?, isLead: Bool) {
        line.withUnsafeBytes { bytes in
            guard bytes.count >= 3, (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(bytes[0]) else {
                return (nil, false)
            }
            var code = 0
            for byte in bytes.prefix(3) {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return (nil, false) }
                code = code * 10 + Int(byte) - 48
            }
            if bytes.count == 3 || bytes[3] == UInt8(ascii: " ") { return (code, false) }
            return bytes[3] == UInt8(ascii: "-") ? (code, true) : (nil, false)
        }
    }
}
