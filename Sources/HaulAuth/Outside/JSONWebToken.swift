import HaulCrypto
import HaulModel

/// A JSON Web Token (RFC 7519) in its compact form (RFC 7515), taken apart. Nothing of it is to be believed before its
/// signature was checked.
struct JSONWebToken: Sendable {
    /// Bytes that one may have.
    static let longest = 16 << 10
    /// Media types of tokens that give access (RFC 7519, 5.1; RFC 9068): what was made for something else (a logout, say) is none.
    private static let types: Set = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"]

    var algorithm: VerificationKey.Algorithm
    /// Which of its issuer's keys is meant.
    var keyID: String?
    var claims: [String: JSONValue]
    /// What is signed: the header and the claims as they stand there.
    var signed: [UInt8]
    var signature: [UInt8]

    /// Whether a text looks like one.
    static func isOne(_ text: String) -> Bool { text.utf8.count { $0 == UInt8(ascii: ".") } == 2 }

    /// - Throws: ``TokenRefusal`` for what is none, or has an algorithm, type or extension that haul does not know.
    init(_ text: String) throws(TokenRefusal) {
        guard text.utf8.count <= Self.longest else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Text.bytes(base64url: parts[2]) else { throw .malformed }
        let header = try Self.object(parts[0])
        guard case .string(let name)? = header["alg"], let algorithm = VerificationKey.Algorithm(rawValue: name) else {
            throw .algorithm
        }
        // Whoever lists an extension as critical asks to be refused by who does not know it (RFC 7515, 4.1.11).
        guard header["crit"] == nil, header["b64"] == nil else { throw .extensions }
        if let type = header["typ"] {
            guard case .string(let type) = type, Self.types.contains(type.lowercased()) else { throw .type }
        }
        switch header["kid"] {
        case nil: keyID = nil
        case .string(let id): keyID = id
        default: throw .malformed
        }
        self.algorithm = algorithm
        claims = try Self.object(parts[1])
        signed = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        self.signature = signature
    }

    private static func object(_ part: Substring) throws(TokenRefusal) -> [String: JSONValue] {
        guard let bytes = Text.bytes(base64url: part),
            let value = try? JSONReader.value(bytes, refusesDuplicates: true),
            case .object(let fields) = value
        else { throw .malformed }
        return fields
    }
}

/// Why a token from outside lets nobody in. Who shows it is not told.
enum TokenRefusal: String, Error, Sendable, Hashable {
    case malformed = "it is no JSON Web Token"
    case algorithm = "its algorithm is neither RS256 nor ES256"
    case extensions = "it has critical extensions"
    case type = "its type is that of no access token"
    case issuer = "its issuer is none of those configured"
    case key = "its issuer has no such key, or its keys cannot be had"
    case signature = "its signature is wrong"
    case times = "it has no end, or a time that is none"
    case expired = "its time is over"
    case early = "its time has not come"
    case audience = "it is for somebody else"
    case subject = "it does not say whom it is about, or not in a way that can be a user's name"
    case profile = "it follows a version of the WLCG profile that haul does not know"
    case bound = "it is bound to a key that is not shown (cnf)"
    case rule = "no rule fits it"
}
