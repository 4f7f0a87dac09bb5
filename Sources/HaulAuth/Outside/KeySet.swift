import HaulCrypto
import HaulModel

/// An issuer's keys (RFC 7517): those of them that haul can check signatures with.
struct KeySet: Sendable {
    /// Keys that are looked at.
    private static let most = 100

    private struct Key: Sendable {
        var id: String?
        var key: VerificationKey
    }

    private let keys: [Key]

    /// - Returns: nil for what is no set of keys. Keys of other kinds, or for other uses, are left out.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONReader.value(bytes, refusesDuplicates: true),
            let items = value.object?["keys"]?.array
        else { return nil }
        keys = items.prefix(Self.most).compactMap { item in
            guard let fields = item.object, let key = Self.key(fields) else { return nil }
            return Key(id: fields["kid"]?.string, key: key)
        }
    }

    /// The keys that a token may have been signed with. One that names none is only taken where there is no choice.
    func candidates(for token: JSONWebToken) -> [VerificationKey] {
        let fitting = keys.filter { $0.key.algorithm == token.algorithm }
        guard let id = token.keyID else { return fitting.count == 1 ? fitting.map(\.key) : [] }
        return fitting.filter { $0.id == id }.map(\.key)
    }

    private static func key(_ fields: [String: JSONValue]) -> VerificationKey? {
        if let use = fields["use"], use != "sig" { return nil }
        if let operations = fields["key_ops"] {
            guard let operations = operations.array, operations.contains("verify") else { return nil }
        }
        let key: VerificationKey? =
            switch fields["kty"] {
            case "RSA":
                bytes(fields["n"]).flatMap { n in
                    bytes(fields["e"]).flatMap { VerificationKey(modulus: n, exponent: $0) }
                }
            case "EC" where fields["crv"] == "P-256":
                bytes(fields["x"]).flatMap { x in bytes(fields["y"]).flatMap { VerificationKey(x: x, y: $0) } }
            default: nil
            }
        if let algorithm = fields["alg"], algorithm.string != key?.algorithm.rawValue { return nil }
        return key
    }

    private static func bytes(_ value: JSONValue?) -> [UInt8]? {
        value?.string.flatMap { Text.bytes(base64url: Substring($0)) }
    }
}
