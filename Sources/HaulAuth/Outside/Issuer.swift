/// Who says by signed tokens who somebody is (OpenID Connect; WLCG Common JWT Profiles 1.x), as the configuration has it.
public struct Issuer: Sendable, Hashable {
    /// In front of its users' names: `NAME:SUBJECT`. No user of haul's own has a colon in their name.
    public var name: String
    /// As `iss` has it, to the letter.
    public var url: String
    /// Whom its tokens have to be for: one of these in `aud`.
    public var audiences: Set<String>
    /// Where its keys are; nil: where its discovery document says.
    public var keys: String?
    /// A PEM file of authorities to trust when its keys are fetched, instead of the system's.
    public var authorities: String?
    /// The claim that is the user's name.
    public var userClaim = "sub"
    /// The claims that list groups.
    public var groupClaims = ["wlcg.groups", "groups"]
    /// Who gets what; the first that fits says the role.
    public var rules: [IssuerRule]

    public init(name: String, url: String, audiences: Set<String>, rules: [IssuerRule]) {
        self.name = name
        self.url = url
        self.audiences = audiences
        self.rules = rules
    }

    /// Whether keys may be fetched from there: `https`, or `http` on this machine's loopback interface.
    public static func isFetchable(_ url: String) -> Bool {
        guard url.utf8.count <= 2048, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            let scheme = ["https://", "http://"].first(where: url.hasPrefix)
        else { return false }
        let authority = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.contains("@") else { return false }
        if scheme == "https://" { return true }
        let port = authority.lastIndex(of: ":").map { authority[$0...] }
        let hasPort = port.map { $0.dropFirst().allSatisfy(\.isNumber) } ?? false
        return ["127.0.0.1", "localhost", "[::1]"].contains(hasPort ? authority.dropLast(port?.count ?? 0) : authority)
    }

    /// Whether its discovery document may name that address: on any host, as OpenID Connect has it, but not on this machine's
    /// loopback interface in plain HTTP, unless the issuer is there itself.
    func mayKeepKeys(at url: String) -> Bool {
        Self.isFetchable(url) && (url.hasPrefix("https://") || self.url.hasPrefix("http://"))
    }
}

/// What of a token's claims gives what. All conditions that it has have to be met; it has at least one.
public struct IssuerRule: Sendable, Hashable {
    public var group: String?
    public var scope: CapabilityScope?
    public var subject: String?
    /// Met by every token of the issuer.
    public var isForAll = false
    public var grant: Grant

    public init(
        group: String? = nil, scope: CapabilityScope? = nil, subject: String? = nil, isForAll: Bool = false,
        grant: Grant
    ) {
        self.group = group
        self.scope = scope
        self.subject = subject
        self.isForAll = isForAll
        self.grant = grant
    }
}
