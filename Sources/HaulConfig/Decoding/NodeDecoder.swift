/// Decodes a type from a node; every error it throws is a `ConfigError`.
struct NodeDecoder: Decoder {
    let node: Node
    let file: String
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ node: Node, file: String, path: [any CodingKey]) {
        self.node = node
        self.file = file
        codingPath = path
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = node.value else { throw mismatch("an object") }
        if node.asked == nil { node.asked = [] }
        return KeyedDecodingContainer(KeyedNodes(decoder: self, members: members))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let nodes) = node.value else { throw mismatch("an array") }
        return UnkeyedNodes(decoder: self, nodes: nodes)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { SingleNode(decoder: self) }

    /// The decoder of a node below this one.
    func below(_ node: Node, _ key: any CodingKey) -> NodeDecoder {
        NodeDecoder(node, file: file, path: codingPath + [key])
    }

    /// The node as a type, all of its keys accounted for.
    func value<T: Decodable>(_ type: T.Type) throws -> T {
        if let scalar = type as? any ConfigScalar.Type {
            guard let value = scalar.init(config: node.value) as? T else { throw mismatch(scalar.expected) }
            return value
        }
        let value: T
        do {
            value = try T(from: self)
        } catch let error as ConfigValueError {
            throw blame(error)
        } catch {
            if let choices = Choices.of(type) { throw mismatch("one of \(choices)") }
            throw translate(error)
        }
        try refuseUnknownKeys()
        return value
    }
}

extension NodeDecoder {
    func mismatch(_ expected: String) -> ConfigError {
        error("expected \(expected), found \(isSecret ? node.kind : node.shown)")
    }

    func missing(_ key: any CodingKey, _ type: Any.Type) -> any Error {
        // A required key is most often missing because it is misspelt, and then that is what to say.
        if let slip = unknownKeys.first(where: { NearMiss.of($0, in: [key.stringValue]) != nil }) {
            return unknown(slip)
        }
        let expected = (type as? any ConfigScalar.Type)?.expected ?? Choices.of(type).map { "one of \($0)" }
        return error("is missing" + (expected.map { ", expected \($0)" } ?? ""), key: key)
    }

    private func error(_ message: String, key: (any CodingKey)? = nil) -> ConfigError {
        let path = codingPath + [key].compactMap { $0 }
        return ConfigError(file: file, line: node.line, key: KeyPathText.of(path), message: message)
    }

    /// The error of a type about itself, or about one of its keys.
    private func blame(_ error: ConfigValueError) -> ConfigError {
        guard let key = error.key else { return mismatch(error.expected) }
        guard case .object(let members) = node.value, let node = members.nodes[key] else {
            return self.error("is missing, expected \(error.expected)", key: NodeKey(stringValue: key))
        }
        return below(node, NodeKey(stringValue: key)).mismatch(error.expected)
    }

    private func translate(_ error: any Error) -> any Error {
        switch error {
        case let error as ConfigError: error
        case DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context), DecodingError.keyNotFound(_, let context):
            self.error(context.debugDescription)
        default: self.error("\(error)")
        }
    }

    private var unknownKeys: [String] {
        guard case .object(let members) = node.value, let asked = node.asked else { return [] }
        return members.keys.filter { !asked.contains($0) }
    }

    private func refuseUnknownKeys() throws {
        if let key = unknownKeys.first { throw unknown(key) }
    }

    private func unknown(_ key: String) -> ConfigError {
        let asked = node.asked ?? []
        let hint =
            NearMiss.of(key, in: asked).map { "did you mean \($0)?" }
            ?? (asked.isEmpty ? "none is known here" : "known here: \(asked.sorted().joined(separator: ", "))")
        guard case .object(let members) = node.value, let node = members.nodes[key] else {
            return error("unknown key", key: NodeKey(stringValue: key))
        }
        return below(node, NodeKey(stringValue: key)).error("unknown key; \(hint)")
    }

    /// True where the key says that its value must not be repeated in an error.
    private var isSecret: Bool {
        let key = codingPath.last { $0.intValue == nil }?.stringValue.lowercased() ?? ""
        return ["token", "password", "secret", "passphrase"].contains { key.contains($0) }
    }
}
