import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension QdoAPI {
    /// - Parameter user: the pattern below which a user's queues stand.
    func addQueueRoutes(to router: inout Router, _ user: String) {
        for pattern in [user, "\(user)/queues"] {
            read(&router, pattern) { _, _, visit in
                Self.json(
                    .array(
                        try await engine.countedQueues(ofUser: visit.user.id).map {
                            QdoDocuments.queue($0, user: visit.user.name)
                        }))
            }
        }
        let queue = "\(user)/queues/:queue"
        read(&router, queue) { _, path, visit in try await document(path["queue"], visit) }
        write(&router, "PUT", queue) { _, path, visit in
            let name = path["queue"]
            guard (1...64).contains(name.utf8.count),
                !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
            else {
                throw Problem.fields(["queue": "must have 1 to 64 bytes without control characters"])
            }
            // Its tasks are for those who pop them, until it is launched.
            let new = Queue(name: name, paused: nil, isPopped: true)
            _ = try await engine.make(new, ofUser: visit.user.id, by: visit.actor)
            return try await document(name, visit, status: 201)
        }
        write(&router, "DELETE", queue) { _, path, visit in
            let last = try await document(path["queue"], visit)
            try await engine.remove(queue: path["queue"], ofUser: visit.user.id, by: visit.actor)
            return last
        }
        write(&router, "PUT", "\(queue)/retry") { _, path, visit in
            _ = try await engine.retry(queue: path["queue"], ofUser: visit.user.id, by: visit.actor)
            return try await document(path["queue"], visit)
        }
        write(&router, "PUT", "\(queue)/recover") { _, path, visit in
            _ = try await engine.recover(queue: path["queue"], ofUser: visit.user.id, by: visit.actor)
            return try await document(path["queue"], visit)
        }
        for (verb, isPaused) in [("pause", true), ("resume", false)] {
            write(&router, "PUT", "\(queue)/\(verb)") { _, path, visit in
                // What is not there is not made.
                _ = try await engine.change(
                    queue: path["queue"], ofUser: visit.user.id, isPaused: isPaused, makes: false, by: visit.actor)
                return try await document(path["queue"], visit)
            }
        }
        write(&router, "POST", "\(queue)/launch") { request, path, visit in
            let count = try QdoFields(request).int("nworkers", in: 1...10_000) ?? 1
            _ = try await engine.queue(path["queue"], ofUser: visit.user.id)
            if engine.launches {
                _ = try await engine.launch(count, forQueue: path["queue"], ofUser: visit.user.id, by: visit.actor)
            } else {
                // Workers are here by themselves.
                _ = try await engine.change(
                    queue: path["queue"], ofUser: visit.user.id, isPopped: false, makes: false, by: visit.actor)
            }
            return try await document(path["queue"], visit, status: 202)
        }
    }

    private func document(_ name: String, _ visit: Visit, status: Int = 200) async throws -> HTTPResponse {
        let queues = try await engine.countedQueues(ofUser: visit.user.id)
        guard let counted = queues.first(where: { $0.queue.name == name }) else {
            throw Problem.nothing("There is no such queue.")
        }
        let workers = try await engine.launches(ofQueue: name, ofUser: visit.user.id)
        return Self.json(QdoDocuments.queue(counted, user: visit.user.name, workers: workers), status: status)
    }
}
