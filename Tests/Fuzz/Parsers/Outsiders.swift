import Foundation
import HaulCrypto
import HaulHTTP
import HaulModel

@testable import HaulAuth

extension Parser {
    /// What others say of who somebody is, and what users keep here to be shown elsewhere.
    static let outsiders = [
        Parser(name: "jwt", feed: jwt), Parser(name: "jwks", feed: jwks), Parser(name: "name", feed: name),
        Parser(name: "scope", feed: scope), Parser(name: "credential", feed: credential),
    ]

    private static let issuer: Issuer = {
        var issuer = Issuer(
            name: "i", url: "https://i", audiences: ["haul"],
            rules: [IssuerRule(isForAll: true, grant: Grant(role: .user))])
        issuer.rules.insert(
            IssuerRule(group: "ops", scope: CapabilityScope("haul:/"), grant: Grant(role: .operator)), at: 0)
        return issuer
    }()

    /// A token, or the header and the claims of one in clear, a line each.
    private static func jwt(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        try token(text)
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        try token((parts + ["sign"]).map { Text.base64url(Array($0.utf8)) }.joined(separator: "."))
    }

    private static func token(_ text: String) throws {
        guard let token = try? JSONWebToken(text) else { return }
        let written = String(decoding: token.signed, as: UTF8.self) + "." + Text.base64url(token.signature)
        try hold(written == text, "\(text) is signed as \(written)")
        // As if its signature were right.
        guard let outsider = try? issuer.outsider(token.claims, now: Timestamp(milliseconds: 1_700_000_000_000)) else {
            return
        }
        try hold(outsider.user.hasPrefix("i:") && outsider.identity.hasPrefix("https://i "), "\(outsider)")
        try hold(outsider.groups.allSatisfy { $0.hasPrefix("i:") }, "\(outsider.groups) are no groups of the issuer")
        if outsider.grant.role == .operator {
            try hold(outsider.groups.contains("i:ops"), "\(text) makes an operator")
        }
    }

    private static let unsigned = try? JSONWebToken(
        Text.base64url(Array(#"{"alg":"RS256","kid":"1"}"#.utf8)) + "." + Text.base64url(Array("{}".utf8)) + ".AAAA")

    /// Keys of an issuer, and what its answer says of how long they are good.
    private static func jwks(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        let age = KeyFetcher.age(["Cache-Control": text])
        try hold(age.map { $0 >= 0 } ?? true, "keys are good for \(age ?? 0) s")
        guard let keys = KeySet(Array(data)), let token = unsigned else { return }
        for key in keys.candidates(for: token) {
            try hold(key.algorithm == token.algorithm, "a key of another kind is tried")
            try hold(!key.isRight(token.signature, of: token.signed), "a signature that nobody made is right")
        }
    }

    /// Both spellings of a name are the same name.
    private static func name(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        guard let name = DistinguishedName(text), !text.hasPrefix("/") else { return }
        guard !text.contains(where: { "\\+/\" ".contains($0) }) else { return }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ $0.utf8.count { $0 == UInt8(ascii: "=") } == 1 }) else { return }
        let other = "/" + parts.reversed().joined(separator: "/")
        try hold(DistinguishedName(other) == name, "\(text) is not \(other)")
    }

    /// A scope covers itself and what is below it, and leads nowhere else.
    private static func scope(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        for word in text.split(separator: " ") {
            guard let scope = CapabilityScope(String(word)) else { continue }
            try hold(scope.covers(scope), "\(word) does not cover itself")
            guard let path = scope.path else { continue }
            try hold(!path.contains(".."), "\(word) leads out")
            var below = scope
            below.path = path + ["x"]
            try hold(scope.covers(below) && !below.covers(scope), "\(word) and what is below it")
        }
    }

    /// What a secret says of itself goes into the database, and before people.
    private static func credential(_ data: Data) throws {
        for kind in ["x509-proxy", "ssh-key", "bearer", "http-password", "s3-key", "rclone-config"] {
            do {
                let facts = try CredentialKind.facts(of: Array(data), kind: kind)
                let isPlain = facts.subject.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
                try hold(isPlain, "a \(kind) is somebody's with a control character")
                try hold(!(facts.expires?.text.isEmpty ?? false), "an end that cannot be told")
            } catch is CredentialRefusal {}
        }
        // As `xrootd` tells of one that is over.
        if let end = CredentialTime.end(token: data), end < Date() { _ = end.formatted(.iso8601) }
    }
}
