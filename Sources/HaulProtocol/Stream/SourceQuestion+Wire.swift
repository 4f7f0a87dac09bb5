import HaulModel

// The `ask` and `answer` lines, key by key.

extension SourceQuestion {
    init(_ fields: JSONFields) throws(WireError) {
        switch try fields.text("ask") {
        case "facts": self = .facts
        case "read":
            guard let from = try fields.optionalInteger("from"), let to = try fields.optionalInteger("to"), from >= 0,
                to >= from
            else { throw WireError("asks for no range of bytes") }
            self = .read(from: from, to: to)
        case "checksum":
            guard let algorithm = try fields.optionalText("algorithm") else {
                throw WireError("asks for a checksum of no kind")
            }
            self = .checksum(algorithm)
        case "end": self = .end
        default: throw WireError("asks for what is not known")
        }
    }

    func write(to writer: inout JSONWriter, id: String) {
        if case .checksum(let algorithm) = self { writer.field("algorithm", algorithm) }
        writer.field("ask", name)
        if case .read(let from, _) = self { writer.field("from", from) }
        writer.field("id", id)
        if case .read(_, let to) = self { writer.field("to", to) }
        writer.field("type", "ask")
    }

    private var name: String {
        switch self {
        case .facts: "facts"
        case .read: "read"
        case .checksum: "checksum"
        case .end: "end"
        }
    }
}

extension SourceAnswer {
    init(_ fields: JSONFields) throws(WireError) {
        switch try fields.text("answer") {
        case "facts":
            self = .facts(try Self.facts(fields), checksums: try fields.optionalTexts("checksums") ?? [])
        case "sent":
            guard let bytes = try fields.optionalInteger("bytes"), bytes >= 0 else {
                throw WireError("does not say how many bytes went")
            }
            self = .sent(bytes, try Self.facts(fields))
        case "not_resumable": self = .notResumable
        case "checksum": self = .checksum(try fields.optionalText("checksum")?.prefix(bytes: 256))
        case "failed":
            self = .failed(
                BackendFailure(
                    try fields.optionalText("class").flatMap(ErrorClass.init(rawValue:)) ?? .unknown,
                    try fields.optionalText("reason")?.prefix(bytes: 4096) ?? "the source gave no reason",
                    returncode: try fields.optionalInteger("returncode") ?? 1))
        default: throw WireError("answers what is not known")
        }
    }

    func write(to writer: inout JSONWriter, id: String) {
        switch self {
        case .facts(let facts, let checksums):
            writer.field("answer", "facts")
            writer.key("checksums")
            writer.array { writer in for checksum in checksums { writer.value(checksum) } }
            Self.write(facts, to: &writer)
            writer.field("id", id)
        case .sent(let bytes, let facts):
            writer.field("answer", "sent")
            writer.field("bytes", bytes)
            Self.write(facts, to: &writer)
            writer.field("id", id)
        case .notResumable:
            writer.field("answer", "not_resumable")
            writer.field("id", id)
        case .checksum(let sum):
            writer.field("answer", "checksum")
            writer.field("checksum", sum)
            writer.field("id", id)
        case .failed(let failure):
            writer.field("answer", "failed")
            writer.field("class", failure.errorClass.rawValue)
            writer.field("id", id)
            writer.field("reason", failure.reason)
            writer.field("returncode", failure.returncode)
        }
        writer.field("type", "answer")
    }

    private static func write(_ facts: FileFacts?, to writer: inout JSONWriter) {
        guard let facts else { return }
        writer.key("facts")
        writer.object { writer in
            writer.field("kind", facts.kind.rawValue)
            writer.field("mode", facts.permissions)
            writer.field("mtime", facts.modified)
            writer.field("mtime_ns", facts.nanoseconds)
            writer.field("size", facts.size)
            writer.field("version", facts.version)
        }
    }

    private static func facts(_ fields: JSONFields) throws(WireError) -> FileFacts? {
        guard let facts = try fields.optionalObject("facts") else { return nil }
        let name = try facts.text("kind")
        guard let kind = ListingEntry.Kind(rawValue: name) else {
            throw WireError("knows no kind \(name.prefix(40))")
        }
        return FileFacts(
            kind: kind, size: max(0, try facts.integer("size")), modified: try facts.optionalInteger("mtime"),
            nanoseconds: try facts.optionalInteger("mtime_ns"), permissions: try facts.optionalInteger("mode"),
            version: try facts.optionalText("version"))
    }
}
