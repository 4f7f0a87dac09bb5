import Foundation
public import HaulHTTP

/// What a request shows of who is asking.
public enum Shown: Sendable, Hashable {
    /// Bearer, `X-Token`, or Basic with the password `x-api-token`, whose user name is the token.
    case token(String)
    /// Basic: a user's name with their password, or with a token of theirs.
    case login(user: String, secret: String)
    /// A certificate, by its subject, and nothing else: whoever shows a token or a password as well is who that says, also
    /// where it is wrong.
    case certificate(subject: String)

    /// The password that says that the user's name is a token.
    private static let tokenMark = "x-api-token"
    /// Bytes of a header that is looked at: an issuer's token may be long.
    private static let longest = JSONWebToken.longest + 64

    /// - Returns: nil where it shows nothing that can be understood.
    public init?(_ head: HTTPRequestHead) {
        if let pair = Self.cookies(head) {
            self = pair
            return
        }
        if let token = head.headers["X-Token"], !token.isEmpty {
            guard token.utf8.count <= Self.longest else { return nil }
            self = .token(token)
            return
        }
        let isAlone = head.headers["Authorization"] == nil && head.headers["X-Token"] == nil
        if isAlone, let subject = head.clientSubject {
            guard !Self.isForeign(head) else { return nil }
            self = .certificate(subject: subject)
            return
        }
        guard let header = head.headers["Authorization"], header.utf8.count <= Self.longest else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": self = .token(String(parts[1]))
        case "basic":
            guard !Self.isForeign(head) else { return nil }
            // RFC 7617: base64 of NAME:PASSWORD in UTF-8; the name has no colon.
            guard let data = Data(base64Encoded: String(parts[1])), let text = String(data: data, encoding: .utf8),
                let colon = text.firstIndex(of: ":"), !text.utf8.contains(0)
            else { return nil }
            let (name, secret) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
            guard !name.isEmpty, !secret.isEmpty else { return nil }
            self = secret == Self.tokenMark ? .token(name) : .login(user: name, secret: secret)
        default: return nil
        }
    }

    /// The cookies that the qdo dialect gives, below its own paths alone: a token, and whose it is; both have to match. A
    /// header that is shown beside them counts more.
    private static func cookies(_ head: HTTPRequestHead) -> Shown? {
        guard head.path == "/qdo" || head.path.hasPrefix("/qdo/"), head.headers["Authorization"] == nil,
            head.headers["X-Token"] == nil,
            let header = head.headers["Cookie"], header.utf8.count <= longest, !isForeign(head)
        else { return nil }
        var values: [Substring: Substring] = [:]
        for pair in header.split(separator: ";") {
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            // Of two with one name nobody knows which counts.
            guard values.updateValue(parts[1], forKey: parts[0]) == nil else { return nil }
        }
        guard let token = values["qdo_authkey"], let user = values["qdo_username"], AccessToken.isOne(String(token))
        else { return nil }
        return .login(user: String(user), secret: String(token))
    }

    /// Whether a browser sent it for a page of somebody else's: what browsers show by themselves, certificates and
    /// passwords that were typed once, is not that page's to use.
    public static func isForeign(_ head: HTTPRequestHead) -> Bool {
        if let site = head.headers["Sec-Fetch-Site"], !["same-origin", "none"].contains(site) { return true }
        guard let origin = head.headers["Origin"] else { return false }
        let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
        let own = [head.headers["Host"], head.outside.host].compactMap { $0?.lowercased() }
        return parts.count != 3 || !own.contains(parts[2].lowercased())
    }

    /// What it is remembered by: never the secret itself.
    var key: [UInt8] {
        switch self {
        case .token(let token): AccessToken.hash(of: token)
        case .login(let user, let secret): AccessToken.hash(of: "\(user)\0\(secret)")
        // No text that can be shown begins so.
        case .certificate(let subject): AccessToken.hash(of: "\0certificate\0\(subject)")
        }
    }
}
