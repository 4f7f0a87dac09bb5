import HaulModel
import Testing

@testable import HaulAuth

/// Which claims give what: never more than a rule says.
@Suite struct RuleTests {
    private func grant(_ rules: [IssuerRule], _ claims: [String: JSONValue]) -> Grant? {
        let issuer = Issuer(name: "i", url: TokenTests.url, audiences: ["haul"], rules: rules)
        let all = TokenTests.good.merging(["wlcg.groups": [], "groups": []]) { $1 }.merging(claims) { $1 }
        return try? issuer.outsider(all, now: TokenTests.now).grant
    }

    private func rule(_ scope: String, _ role: Role = .user, _ scopes: Set<Scope>? = nil) throws -> IssuerRule {
        let wanted = try #require(CapabilityScope(scope))
        return IssuerRule(scope: wanted, grant: Grant(role: role, scopes: scopes))
    }

    /// The first rule that fits says the role, others of that role add scopes.
    @Test func order() throws {
        let rules = [
            IssuerRule(group: "/admins", grant: Grant(role: .operator)),
            try rule("storage.read:/", .user, [.readJobs]),
            try rule("compute.create", .worker),
            try rule("storage.modify:/", .user, [.changeJobs]),
        ]
        #expect(grant(rules, [:]) == nil)
        #expect(grant(rules, ["scope": "openid storage.read:/ compute.read"])?.scopes == [.readJobs])
        let both = grant(rules, ["scope": "storage.modify:/ storage.read:/ compute.create"])
        #expect(both?.role == .user && both?.scopes == [.readJobs, .changeJobs])
        #expect(grant(rules, ["scope": "compute.create storage.modify:/"])?.role == .worker)
        #expect(grant(rules, ["scope": "compute.create", "groups": ["/admins"]])?.role == .operator)
        let whole = grant(
            [rules[1], IssuerRule(isForAll: true, grant: Grant(role: .user))], ["scope": "storage.read:/"])
        #expect(whole?.role == .user && whole?.scopes == nil)
        // Without the rule nobody is an operator, whatever their claims are.
        let claims: [String: JSONValue] = [
            "role": "operator", "scope": "operate storage.read:/", "roles": ["operator"],
        ]
        #expect(grant(rules, claims) == Grant(role: .user, scopes: [.readJobs]))
    }

    /// All conditions of a rule have to be met; one without any is met by nobody.
    @Test func conditions() throws {
        var both = try rule("compute.create", .worker)
        (both.group, both.subject) = ("/pilots", "alice")
        #expect(grant([both], ["scope": "compute.create", "wlcg.groups": ["/pilots"]]) != nil)
        #expect(grant([both], ["scope": "compute.create"]) == nil)
        #expect(grant([both], ["wlcg.groups": ["/pilots"]]) == nil)
        #expect(grant([both], ["scope": "compute.create", "wlcg.groups": ["/pilots"], "sub": "bob"]) == nil)
        #expect(grant([IssuerRule(grant: Grant(role: .operator))], [:]) == nil)
    }

    /// A scope with a path is for what is there and below.
    @Test(arguments: [
        ("storage.read", "storage.read", true), ("storage.read", "storage.read:/x", true),
        ("storage.read:/", "storage.read:/", true), ("storage.read:/cms", "storage.read:/", true),
        ("storage.read:/cms", "storage.read:/cms/", true), ("storage.read:/cms", "storage.read://cms", true),
        ("storage.read:/", "storage.read:/cms", false), ("storage.read:/cms", "storage.read:/cmsx", false),
        ("storage.read:/cms/a", "storage.read:/cms/b", false), ("storage.read:/", "storage.read", false),
        ("storage.read:/", "storage.read:", false), ("storage.read", "storage.readx", false),
        ("storage.read:/cms", "storage.read:/cms/../", false), ("storage.read:/cms", "storage.read:/./", false),
        ("storage.read", "Storage.read", false), ("storage.read:/cms", "storage.modify:/", false),
    ])
    func paths(wanted: String, has: String, isMet: Bool) throws {
        let found = grant([try rule(wanted)], ["scope": .string("x " + has)])
        #expect((found != nil) == isMet)
        #expect(grant([try rule(wanted)], ["scope": [.string(has)]]) == nil, "scope is one text")
    }

    /// Keys come over https, or from this machine alone.
    @Test(arguments: [
        ("https://issuer.example", true), ("https://issuer.example:8443/realms/x", true),
        ("http://127.0.0.1:80/x", true),
        ("http://localhost", true), ("http://[::1]:8080/", true), ("http://issuer.example", false),
        ("http://127.0.0.1@evil.example", false), ("https://a@b", false), ("http://127.0.0.1.evil.example", false),
        ("http://localhost.evil", false), ("ftp://localhost", false), ("https://", false), ("https:///x", false),
        ("http://[::1].evil", false), ("", false), ("https://a b", false), ("https://a\\b", false),
        ("file:///etc", false),
        ("HTTP://evil", false), ("http://127.0.0.1\\@evil.example/", false),
    ])
    func addresses(url: String, isTaken: Bool) {
        #expect(Issuer.isFetchable(url) == isTaken)
    }
}
