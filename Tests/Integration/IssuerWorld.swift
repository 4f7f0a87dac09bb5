import HaulCrypto
import HaulModel
import Support

/// Two issuers with the same key id, and a server that takes the tokens of both.
struct IssuerWorld {
    let first: TestIssuer
    let second: TestIssuer
    let server: LiveServer

    init(_ kind: SigningKey.Kind = .ec("P-256")) async throws {
        first = try TestIssuer(kind)
        second = try TestIssuer(.rsa(bits: 2048))
        var settings = LiveServer.Settings()
        settings.heartbeatSeconds = 0.2
        settings.more = """
            issuers: [{
                name: "wlcg", issuer: "\(first.url)", audience: ["haul", "https://haul.example"],
                rules: [
                    {group: "/haul/admins", role: "operator"},
                    {group: "/haul/pilots", scope: "compute.create", role: "worker", users: ["wlcg:alice"]},
                    {scope: "storage.read:/", role: "user", scopes: ["jobs.read"]},
                    {scope: "storage.modify:/", role: "user", scopes: ["jobs.write", "tokens"]},
                ],
            }, {
                name: "iam", issuer: "\(second.url)", jwks: "\(second.keysURL)", audience: ["haul"],
                user: "preferred_username", rules: [{everyone: true, role: "user"}],
            }],
            """
        server = try await LiveServer.start(settings)
    }

    func caller(_ token: String) -> Caller { server.anonymous.with(token) }

    func end() async {
        await server.remove()
        await first.stop()
        await second.stop()
    }
}
