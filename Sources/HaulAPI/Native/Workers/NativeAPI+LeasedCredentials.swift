import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

/// What workers get of users' credentials.
extension NativeAPI {
    func addLeasedCredentialRoutes(to router: inout Routes) {
        let show = Route(
            "What the user of a leased element shows", .holder, answers: .ok(GivenCredentials.schema),
            .conflict("One has expired, or the lease is over."))
        router.on("GET", "/worker/jobs/:job/elements/:element/credentials", show) { request, path in
            try await give(request, path)
        }
    }

    /// Gives a worker what the user of a job shows at its sites.
    private func give(_ request: HTTPRequest, _ path: PathParameters) async throws -> HTTPResponse {
        let token = try Self.elementToken(request.head)
        guard let job = Int(id: path["job"]), let element = Int(id: path["element"]) else {
            throw Problem.notFound(request)
        }
        let places = try await engine.places(provenBy: token, job: job, element: element)
        var given = GivenCredentials(source: [:], destination: [:])
        if let vault {
            let taker = Requester(name: places.holder, token: places.token, address: request.remoteAddress)
            func secrets(_ site: Site?) async throws -> [String: Data] {
                guard let site else { return [:] }
                return try await vault.open(ofUser: places.userID, at: site, for: "\(job).\(element)", by: taker)
                    .mapValues { Data($0) }
            }
            try await refusing {
                given.source = try await secrets(places.source)
                given.destination = try await secrets(places.destination)
            }
        }
        var response = JSONText.response(given)
        response.headers.set("Cache-Control", "no-store")
        return response
    }

    /// What a claim says of credentials: kind to what it is by now.
    func tags(_ credentials: [Credential], at site: Site) -> [String: String]? {
        let shown = vault?.shown(credentials, at: site) ?? [:]
        return shown.isEmpty ? nil : shown.mapValues { "\($0.id).\($0.revision)" }
    }
}
