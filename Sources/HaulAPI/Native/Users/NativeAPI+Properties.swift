import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What users keep with their jobs.
    func addPropertyRoutes(to router: inout Routes) {
        let show = Route(
            "What is kept with a job: names and values of its user's own", .readJobs, answers: .ok(.values))
        router.on("GET", "/jobs/:job/properties", show) { request, path in
            Self.object(try await engine.properties(ofJob: try await job(path, request).id))
        }
        let change = Route(
            "Keep names and values with a job of one's own, beside what is there; null takes one away", .changeJobs,
            body: .json(.values.about("With what is there up to \(Engine.propertiesLimit) bytes, as JSON")),
            answers: .ok(.values))
        // Blanks and escapes of a body are not counted.
        router.on("PATCH", "/jobs/:job/properties", change, bodyLimit: 4 * Engine.propertiesLimit) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            guard job.userID == who.user.id else { throw Problem.notOwner }
            var changes = try JSONText.members(request.body, most: Engine.mostProperties)
            var removed: [String] = []
            changes.forEach { if $1 == Array("null".utf8) { removed.append($0) } }
            for name in removed { changes[name] = nil }
            return Self.object(try await engine.changeProperties(ofJob: job.id, changes, removing: removed))
        }
    }

    private static func object(_ json: [UInt8]) -> HTTPResponse {
        HTTPResponse(headers: ["Content-Type": "application/json"], body: .bytes(json))
    }
}

extension Problem {
    fileprivate static let notOwner = forbidden(
        "not_owner", "What is kept with a job is its user's: operators see it, and change nothing of it.",
        hint: "Have its user do it.")
}
