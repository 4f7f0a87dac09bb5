import Foundation
import HaulCrypto
import HaulModel
import Support
import Testing

@testable import HaulAuth

/// What of an issuer's token is looked at, without any network: each thing that is wrong is refused, and for that reason.
@Suite struct TokenTests {
    static let now = Timestamp(milliseconds: 1_700_000_000_000)
    static let second = 1_700_000_000
    static let url = "https://issuer.example"

    static let issuer: Issuer = {
        let rule = IssuerRule(group: "/cms", grant: Grant(role: .user))
        return Issuer(name: "wlcg", url: url, audiences: ["haul", "https://haul.example"], rules: [rule])
    }()
    static let good: [String: JSONValue] = [
        "iss": .string(url), "sub": "alice", "aud": "haul", "exp": .int(second + 100), "wlcg.groups": ["/cms"],
    ]

    private func refusal(of text: String) -> TokenRefusal? {
        do throws(TokenRefusal) { _ = try JSONWebToken(text) } catch { return error }
        return nil
    }

    private func outsider(
        _ changes: [String: JSONValue?], of issuer: Issuer = TokenTests.issuer
    ) throws(TokenRefusal) -> Outsider {
        try issuer.outsider(
            Self.good.mapValues(Optional.some).merging(changes) { $1 }.compactMapValues(\.self), now: Self.now)
    }

    private func refusal(_ changes: [String: JSONValue?]) -> TokenRefusal? {
        do throws(TokenRefusal) { _ = try outsider(changes) } catch { return error }
        return nil
    }

    static let badTexts: [(String, String, TokenRefusal?)] = [
        (#"{"alg":"ES256"}"#, "{}", nil), ("\n{ \"alg\" : \"ES256\" }", "\t{ }", nil),
        (#"{"alg":"RS256","typ":"at+jwt","kid":"x"}"#, "{}", nil),
        (#"{"alg":"RS256","typ":"application/at+JWT","x5c":["?"],"jku":"https://evil.example"}"#, "{}", nil),
        (#"{"alg":"none"}"#, "{}", .algorithm), (#"{"alg":"None"}"#, "{}", .algorithm),
        (#"{"alg":"HS256"}"#, "{}", .algorithm), (#"{"alg":"ES384"}"#, "{}", .algorithm),
        (#"{"alg":"PS256"}"#, "{}", .algorithm), (#"{"alg":["RS256"]}"#, "{}", .algorithm),
        (#"{"kid":"x"}"#, "{}", .algorithm), (#"{"alg":""}"#, "{}", .algorithm),
        (#"{"alg":"ES256","crit":["exp"],"exp":1}"#, "{}", .extensions),
        (#"{"alg":"ES256","crit":[]}"#, "{}", .extensions), (#"{"alg":"ES256","b64":false}"#, "{}", .extensions),
        (#"{"alg":"ES256","typ":"logout+jwt"}"#, "{}", .type), (#"{"alg":"ES256","typ":"dpop+jwt"}"#, "{}", .type),
        (#"{"alg":"ES256","typ":5}"#, "{}", .type), (#"{"alg":"ES256","kid":5}"#, "{}", .malformed),
        (#"{"alg":"ES256","alg":"ES256"}"#, "{}", .malformed), (#"{"alg":"none","alg":"ES256"}"#, "{}", .malformed),
        (#"{"alg":"ES256"}"#, #"{"sub":"a","sub":"b"}"#, .malformed),
        (#"{"alg":"ES256"}"#, #"{"a":{"b":1,"\u0062":2}}"#, .malformed),
        (#"{"alg":"ES256"}"#, "[]", .malformed), (#"["ES256"]"#, "{}", .malformed), ("", "", .malformed),
        (#"{"alg":"ES256"} "#, "{} x", .malformed), ("{'alg':'ES256'}", "{}", .malformed),
        (#"{"alg":"ES256"}"#, #"{"a":"\#(String(repeating: "x", count: 16_000))"}"#, .malformed),
    ]

    @Test(arguments: TokenTests.badTexts)
    func texts(header: String, claims: String, expected: TokenRefusal?) {
        #expect(JSONWebToken.isOne(TestIssuer.token(header: header, claims: claims) { _ in [] }))
        #expect(refusal(of: TestIssuer.token(header: header, claims: claims) { _ in [1, 2] }) == expected)
    }

    /// Three parts of strict base64url.
    @Test func parts() throws {
        let text = TestIssuer.token(header: #"{"alg":"ES256"}"#, claims: #"{"a":1}"#) { _ in [1, 2, 3, 4] }
        #expect(refusal(of: text) == nil && JSONWebToken.isOne(text))
        let token = try JSONWebToken(text)
        #expect(token.signature == [1, 2, 3, 4] && token.claims == ["a": 1])
        #expect(token.signed == Array(text.utf8.prefix(text.utf8.count - 7)))
        for bad in [
            text + ".", text + "=", text + "\n", " " + text, "." + text, text.replacing(".", with: ".."),
            text + ".AAAA.AAAA", String(text.dropLast(7)), "haul_abc", "", "..", "eyJ..",
            text.replacing(".", with: "=."),
        ] { #expect(refusal(of: bad) == .malformed, "\(bad)") }
    }

    static let badClaims: [([String: JSONValue?], TokenRefusal?)] = [
        ([:], nil),
        (["aud": ["other", "https://haul.example"]], nil), (["exp": .double(Double(second) + 0.5)], nil),
        // Clocks may differ by a minute.
        (["exp": .int(second - 59)], nil), (["exp": .int(second - 60)], .expired), (["exp": 0], .expired),
        (["nbf": .int(second + 60)], nil), (["nbf": .int(second + 61)], .early),
        (["iat": .int(second + 60)], nil), (["iat": .int(second + 61)], .early),
        (["exp": nil], .times), (["exp": .null], .times), (["exp": .string("\(second + 100)")], .times),
        (["exp": -1], .times), (["exp": .double(1e300)], .times), (["exp": .int(.max)], .times),
        (["nbf": "now"], .times), (["iat": [1]], .times),
        (["aud": nil], .audience), (["aud": "other"], .audience), (["aud": []], .audience),
        (["aud": "HAUL"], .audience),
        (["aud": "haul "], .audience), (["aud": ["haul", 5]], .audience), (["aud": ["haul": true]], .audience),
        (["sub": nil], .subject), (["sub": ""], .subject), (["sub": 17], .subject), (["sub": "a b"], .subject),
        (["sub": "a\nb"], .subject), (["sub": "a\u{0}b"], .subject), (["sub": "älice"], .subject),
        (["sub": .string(String(repeating: "x", count: 255))], nil),
        (["sub": .string(String(repeating: "x", count: 256))], .subject),
        (["wlcg.ver": "1.0"], nil), (["wlcg.ver": "1.2"], nil), (["wlcg.ver": "2.0"], .profile),
        (["wlcg.ver": "10"], .profile), (["wlcg.ver": 1], .profile),
        (["cnf": ["x5t#S256": "abc"]], .bound), (["cnf": .null], .bound),
        (["wlcg.groups": nil], .rule), (["wlcg.groups": ["/cms/x", "cms", "/CMS"]], .rule),
        (["wlcg.groups": ["/cms", 5]], .rule), (["wlcg.groups": nil, "groups": ["/cms"]], nil),
    ]

    @Test(arguments: TokenTests.badClaims)
    func claims(changes: [String: JSONValue?], expected: TokenRefusal?) {
        #expect(refusal(changes) == expected, "\(changes)")
    }

    /// What stands in the place of a name below /qdo is nobody's.
    @Test func reservedNames() {
        for name in ["site", "users"] { #expect(AccessToken.problem(withUser: name) != nil) }
        for name in ["sites", "user", "Site"] { #expect(AccessToken.problem(withUser: name) == nil) }
    }

    /// No issuer can name somebody of ours, or of another issuer.
    @Test func names() throws {
        let outsider = try outsider([:])
        #expect(outsider.user == "wlcg:alice" && outsider.identity == "https://issuer.example alice")
        #expect(outsider.expires == Timestamp(milliseconds: (Self.second + 100) * 1000))
        #expect(AccessToken.problem(withUser: outsider.user) != nil, "no user of ours is called so")
        var other = Self.issuer
        (other.name, other.userClaim) = ("b", "email")
        let same = try self.outsider(["email": "wlcg:alice"], of: other)
        #expect(same.user == "b:wlcg:alice" && same.hash != outsider.hash)
        #expect(throws: TokenRefusal.subject) { try self.outsider(["email": nil], of: other) }
        // What stands for them is found by nothing that can be shown.
        #expect(!AccessToken.isOne("\0" + outsider.identity))
    }
}
