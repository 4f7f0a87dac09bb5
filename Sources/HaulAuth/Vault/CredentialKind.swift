import Foundation
import HaulCrypto
import HaulModel

/// What a secret of some kind has to look like, and what it says of itself. Kinds that are not known here are kept as they
/// are.
enum CredentialKind {
    /// Bytes of a secret.
    static let longest = 64 << 10
    /// Kinds of which a site that gets one can't make another's use: they may be shown everywhere.
    static let everywhere: Set<String> = ["ssh-key", "x509-proxy"]

    struct Facts: Sendable, Hashable {
        var subject = ""
        var expires: Timestamp?
    }

    /// - Throws: ``CredentialRefusal/unfit``.
    static func facts(of secret: [UInt8], kind: String) throws(CredentialRefusal) -> Facts {
        guard !secret.isEmpty, secret.count <= longest else { throw .unfit("must have 1 to \(longest) bytes") }
        let text = String(decoding: secret, as: UTF8.self)
        switch kind {
        case "x509-proxy": return try proxy(secret, text)
        case "ssh-key": return Facts(subject: try key(text))
        case "bearer":
            guard line(text) != nil else { throw .unfit("must be one line: the token") }
            return Facts(expires: CredentialTime.end(token: Data(secret)).map(timestamp))
        case "http-password":
            guard let line = line(text), let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")),
                colon > line.startIndex
            else { throw .unfit("must be one line: USER:PASSWORD") }
            return Facts(subject: String(line[..<colon]))
        case "s3-key":
            let lines = text.split(whereSeparator: \.isNewline)
            guard (1...2).contains(lines.count), let colon = lines[0].firstIndex(of: ":"), colon > lines[0].startIndex,
                lines[0].index(after: colon) < lines[0].endIndex, lines.allSatisfy({ line(String($0)) != nil })
            else { throw .unfit("must be ACCESS:SECRET, and on a second line a session token, if any") }
            return Facts(subject: String(lines[0][..<colon]))
        default: return Facts()
        }
    }

    /// The one line that a text is, without line ends around it; nil for what is none.
    private static func line(_ text: String) -> String? {
        let trimmed = text.trimmingCharacters(in: CharacterSet(charactersIn: "\r\n"))
        return !trimmed.isEmpty && trimmed.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? trimmed : nil
    }

    private static func proxy(_ secret: [UInt8], _ text: String) throws(CredentialRefusal) -> Facts {
        guard let end = CredentialTime.end(x509: Data(secret)) else {
            throw .unfit("holds no certificate in PEM: give the file that grid-proxy-init or voms-proxy-init wrote")
        }
        guard text.contains("PRIVATE KEY-----") else { throw .unfit("holds no key: a proxy has its key beside it") }
        guard !text.contains("ENCRYPTED") else { throw .unfit("has a key with a passphrase: give a proxy") }
        return Facts(subject: CredentialTime.subject(x509: Data(secret)) ?? "", expires: timestamp(end))
    }

    /// The fingerprint of an OpenSSH key, as `ssh-keygen -l` prints it; empty for the older formats, which don't have
    /// their public half in clear.
    private static func key(_ text: String) throws(CredentialRefusal) -> String {
        guard text.contains("PRIVATE KEY-----") else {
            throw .unfit("is no private key: give the file that ssh-keygen wrote, not the one that ends in .pub")
        }
        let hasPassphrase = CredentialRefusal.unfit("has a passphrase, which nobody can type here: make a key without")
        guard !text.contains("ENCRYPTED") else { throw hasPassphrase }
        guard text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") else { return "" }
        let body = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }.joined()
        // PROTOCOL.key of OpenSSH: magic, cipher, kdf, its options, the number of keys, then the public halves.
        var reader = SSHKeyReader(Array(Data(base64Encoded: body) ?? Data()))
        guard reader.skip("openssh-key-v1\0"), let cipher = reader.string(), reader.string() != nil,
            reader.string() != nil, reader.number() == 1, let blob = reader.string()
        else { throw .unfit("is no key that OpenSSH would read") }
        guard cipher == Array("none".utf8) else { throw hasPassphrase }
        return "SHA256:" + Data(Hash.sha256(blob)).base64EncodedString().replacing("=", with: "")
    }

    private static func timestamp(_ date: Date) -> Timestamp {
        let most = 8_640_000_000_000_000.0
        return Timestamp(milliseconds: Int(min(max(date.timeIntervalSince1970 * 1000, -most), most)))
    }
}

/// Reads the fields of an OpenSSH key.
private struct SSHKeyReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func skip(_ magic: String) -> Bool {
        guard rest.starts(with: magic.utf8) else { return false }
        rest.removeFirst(magic.utf8.count)
        return true
    }

    mutating func number() -> Int? {
        guard rest.count >= 4 else { return nil }
        defer { rest.removeFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func string() -> [UInt8]? {
        guard let count = number(), count <= rest.count else { return nil }
        defer { rest.removeFirst(count) }
        return Array(rest.prefix(count))
    }
}
