import HaulModel

/// What a putting backend asks of its element's source, which is at a site of another protocol: the `ask` line of
/// `protocols/README.md`, "Between two protocols". The worker hands it to the getting backend, and the answer back.
public enum SourceQuestion: Sendable, Hashable {
    /// What is at the path.
    case facts
    /// The bytes from one place to before another, through the element's pipe. The answer comes when they are in it.
    case read(from: Int, to: Int)
    /// The content's checksum, where the site tells it: `md5`, `adler32` ...
    case checksum(String)
    /// Nothing more is asked: the getting backend is done with the element. From the worker alone.
    case end
}

/// What is answered: the `answer` line.
public enum SourceAnswer: Sendable, Hashable {
    /// What is there, nil for nothing, and the checksums that its site tells.
    case facts(FileFacts?, checksums: [String])
    /// Bytes that went into the pipe, and, where that is known, what the source was after them.
    case sent(Int, FileFacts?)
    /// It cannot be read from the middle, or is not what it was: nothing went.
    case notResumable
    /// `ALGORITHM:HEX`; nil: the site tells none, read it.
    case checksum(String?)
    case failed(BackendFailure)
}

/// The documents of both, key by key.
struct SourceQuestionDocument: Codable {
    var id: String
    var ask: String
    var from: Int?
    var to: Int?
    var algorithm: String?

    init(id: String, _ question: SourceQuestion) {
        self.id = id
        switch question {
        case .facts: ask = "facts"
        case .read(let from, let to): (ask, self.from, self.to) = ("read", from, to)
        case .checksum(let algorithm): (ask, self.algorithm) = ("checksum", algorithm)
        case .end: ask = "end"
        }
    }

    func value() throws(WireError) -> SourceQuestion {
        switch ask {
        case "facts": return .facts
        case "read":
            guard let from, let to, from >= 0, to >= from else { throw WireError("asks for no range of bytes") }
            return .read(from: from, to: to)
        case "checksum":
            guard let algorithm else { throw WireError("asks for a checksum of no kind") }
            return .checksum(algorithm)
        case "end": return .end
        default: throw WireError("asks for what is not known")
        }
    }
}

struct SourceAnswerDocument: Codable {
    var id: String
    var answer: String
    var facts: Facts?
    var checksums: [String]?
    var bytes: Int?
    var checksum: String?
    var `class`: String?
    var reason: String?
    var returncode: Int?

    struct Facts: Codable {
        var kind: String
        var size: Int
        var mtime: Int?
        var mtime_ns: Int?
        var mode: Int?
        var version: String?

        init(_ facts: FileFacts) {
            (kind, size, mode) = (facts.kind.rawValue, facts.size, facts.permissions)
            (mtime, mtime_ns, version) = (facts.modified, facts.nanoseconds, facts.version)
        }

        func value() throws(WireError) -> FileFacts {
            guard let known = ListingEntry.Kind(rawValue: kind) else {
                throw WireError("knows no kind \(kind.prefix(40))")
            }
            return FileFacts(
                kind: known, size: max(0, size), modified: mtime, nanoseconds: mtime_ns, permissions: mode,
                version: version)
        }
    }

    init(id: String, _ answer: SourceAnswer) {
        self.id = id
        switch answer {
        case .facts(let facts, let checksums):
            (self.answer, self.facts, self.checksums) = ("facts", facts.map(Facts.init), checksums)
        case .sent(let bytes, let facts): (self.answer, self.bytes, self.facts) = ("sent", bytes, facts.map(Facts.init))
        case .notResumable: self.answer = "not_resumable"
        case .checksum(let sum): (self.answer, checksum) = ("checksum", sum)
        case .failed(let failure):
            self.answer = "failed"
            (self.class, reason, returncode) = (failure.errorClass.rawValue, failure.reason, failure.returncode)
        }
    }

    func value() throws(WireError) -> SourceAnswer {
        switch answer {
        case "facts": return .facts(try facts?.value(), checksums: checksums ?? [])
        case "sent":
            guard let bytes, bytes >= 0 else { throw WireError("does not say how many bytes went") }
            return .sent(bytes, try facts?.value())
        case "not_resumable": return .notResumable
        case "checksum": return .checksum(checksum?.prefix(bytes: 256))
        case "failed":
            return .failed(
                BackendFailure(
                    self.class.map { ErrorClass(rawValue: $0) ?? .unknown } ?? .unknown,
                    reason?.prefix(bytes: 4096) ?? "the source gave no reason", returncode: returncode ?? 1))
        default: throw WireError("answers what is not known")
        }
    }
}
