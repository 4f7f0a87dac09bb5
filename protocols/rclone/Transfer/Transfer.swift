import HaulModel
import HaulProtocol

/// One file that rclone copies, as a job of its remote control: watched for progress, and stopped with the element.
struct Transfer: Sendable {
    private static let look = Duration.milliseconds(250)
    /// How long a job may take to begin, and a stopped one to end.
    private static let patience = Duration.seconds(3)

    let control: RemoteControl
    /// Nil where the bytes are counted elsewhere.
    let report: ElementReport?
    let total: Int

    /// - Parameters:
    ///   - from: A remote (or a folder of this machine), and the path below it.
    ///   - what: `cannot write /a`, for a reason.
    func run(from: (fs: String, path: String), to: (fs: String, path: String), _ what: String) async throws {
        report?.progress(transferred: 0, total: total)
        try await run(
            "operations/copyfile",
            [
                "srcFs": .string(from.fs), "srcRemote": .string(from.path), "dstFs": .string(to.fs),
                "dstRemote": .string(to.path),
            ], what)
    }

    /// - Returns: Once nothing is written any more, also where it throws.
    func run(_ command: String, _ parameters: [String: JSONValue], _ what: String) async throws {
        try Task.checkCancellation()
        // In a task of its own: a job that has begun, and whose number nobody heard, could not be stopped.
        let begun = try await Task {
            try await Abandonable.run(limit: Self.patience) {
                try await control.call(command, parameters.merging(["_async": true]) { $1 }, what)
            }
        }.value
        guard let job = begun["jobid"]?.int else { throw BackendFailure(.backend, "\(what): rclone began no job") }
        do {
            // A small file is through at once: it does not wait for the second look.
            var pause = Duration.milliseconds(4)
            while try await !isOver(job, what, about: parameters.values.compactMap(\.string)) {
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.look)
                guard pause == Self.look, let report else { continue }
                let stats = try await control.call("core/stats", ["group": .string("job/\(job)")], what)
                if let bytes = stats["bytes"]?.int { report.progress(transferred: min(bytes, total), total: total) }
            }
        } catch {
            // In a task of its own: what cancels the copy must not keep its job from being stopped.
            await Task { try? await Abandonable.run(limit: Self.patience) { try await stop(job) } }.value
            throw error
        }
    }

    private func isOver(_ job: Int, _ what: String, about paths: [String]) async throws -> Bool {
        let status = try await control.call("job/status", ["jobid": .int(job)], what)
        guard status["finished"]?.bool == true else { return false }
        if status["success"]?.bool != true {
            throw Complaint.failure(status["error"]?.string ?? "", what, about: paths)
        }
        return true
    }

    private func stop(_ job: Int) async throws {
        _ = try await control.call("job/stop", ["jobid": .int(job)], "cannot stop a copy")
        while try await control.call("job/status", ["jobid": .int(job)], "")["finished"]?.bool != true {
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
