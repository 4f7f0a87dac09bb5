/// The members of an object. What is asked for is written down, so that what was not can be refused.
///
/// The one generic `decode` stands for the fifteen of the protocol.
struct KeyedNodes<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: NodeDecoder
    let members: Node.Members

    var codingPath: [any CodingKey] { decoder.codingPath }

    /// Who reads all keys knows all keys: a dictionary, above all.
    var allKeys: [Key] {
        members.keys.compactMap { text in
            Key(stringValue: text).map { key in
                ask(key)
                return key
            }
        }
    }

    func contains(_ key: Key) -> Bool { member(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
        guard case .null = try below(key, Never.self).node.value else { return false }
        return true
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try below(key, type).value(type) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try below(key, type).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try below(key, [Never].self).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try below(key, Never.self) }

    private func below(_ key: Key, _ type: Any.Type) throws -> NodeDecoder {
        guard let node = member(key) else { throw decoder.missing(key, type) }
        return decoder.below(node, key)
    }

    private func member(_ key: Key) -> Node? {
        ask(key)
        return members.nodes[key.stringValue]
    }

    private func ask(_ key: Key) {
        if decoder.node.asked?.contains(key.stringValue) != true { decoder.node.asked?.append(key.stringValue) }
    }
}

/// The elements of an array.
struct UnkeyedNodes: UnkeyedDecodingContainer {
    let decoder: NodeDecoder
    let nodes: [Node]
    var currentIndex = 0

    init(decoder: NodeDecoder, nodes: [Node]) {
        self.decoder = decoder
        self.nodes = nodes
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { nodes.count }
    var isAtEnd: Bool { currentIndex >= nodes.count }

    mutating func decodeNil() throws -> Bool {
        guard case .null = try peek().node.value else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().value(type) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested>
    {
        try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }

    private mutating func next() throws -> NodeDecoder {
        let element = try peek()
        currentIndex += 1
        return element
    }

    private func peek() throws -> NodeDecoder {
        guard !isAtEnd else { throw ConfigValueError(expected: "an array of more than \(nodes.count) elements") }
        return decoder.below(nodes[currentIndex], NodeKey(intValue: currentIndex))
    }
}

/// A value on its own.
struct SingleNode: SingleValueDecodingContainer {
    let decoder: NodeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
        guard case .null = decoder.node.value else { return false }
        return true
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.value(type) }
}
