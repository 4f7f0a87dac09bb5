import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Workers of a queue's own.
    func addLaunchRoutes(to router: inout Routes) {
        let list = Route(
            "Workers that were asked for of a queue, and for a day those that ended", .readJobs, query: Self.whose,
            answers: .ok(.list(of: LaunchDocument.schema)), .notFound("There is no such queue."))
        router.on("GET", "/queues/:queue/launch", list) { request, path in
            let user = try await owner(request, .readJobs).id
            let all = try await engine.launches(ofQueue: try Self.queueName(path, request), ofUser: user)
            return JSONText.response(all.map { LaunchDocument($0) })
        }
        let launch = Route(
            "Open a queue to workers, and have some started that work for it alone", .changeJobs, query: Self.whose,
            body: .json(.launch),
            answers: Route.Answer(202, "They will be started", .json(.list(of: LaunchDocument.schema))),
            .notFound("There is no such queue."),
            .conflict("No workers are started here, or a user may not have that many."))
        router.on("POST", "/queues/:queue/launch", launch) { request, path in
            let (user, actor) = try await owner(request, .changeJobs)
            let name = try Self.queueName(path, request)
            var fields = Fields(request.body.isEmpty ? [:] : try JSONText.object(request.body))
            let count = fields.int("workers", in: Self.launchable) ?? 1
            try fields.check()
            let all = try await engine.launch(count, forQueue: name, ofUser: user, by: actor)
            return JSONText.response(all.map { LaunchDocument($0) }, status: 202)
        }
        let end = Route(
            "End the workers that were asked for of a queue", .changeJobs, query: Self.whose,
            answers: Route.Answer(204, "They get nothing more, and end"), .notFound("There is no such queue."))
        router.on("DELETE", "/queues/:queue/launch", end) { request, path in
            let (user, actor) = try await owner(request, .changeJobs)
            try await engine.endLaunches(ofQueue: try Self.queueName(path, request), ofUser: user, by: actor)
            return HTTPResponse(status: 204)
        }
    }

    fileprivate static let launchable = 1...10_000
}

extension Schema {
    fileprivate static let launch = object(
        ["workers?": integer(NativeAPI.launchable).orNull.about("1 unless given")], isOpen: true)
}
