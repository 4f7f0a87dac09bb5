/// A document with its `type` (and `version`) beside its own keys.
struct Typed<Value: Encodable>: Encodable {
    var type: String
    var version: Int?
    var value: Value

    private enum CodingKeys: String, CodingKey { case type, version }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encodeIfPresent(version, forKey: .version)
        try value.encode(to: encoder)
    }
}
