public import HaulModel

/// An event of `GET /jobs/J/events`: the job as `GET /jobs/J` has it, and, from the first progress on while some of it runs,
/// what its attempts that run moved so far, all of them together.
public struct JobEventDocument: Sendable, JSONWritable {
    public var job: JobDocument
    /// `transferred` (bytes), `instant` and `average` (bytes/s): sums; `elapsed` (s): the longest.
    public var progress: Attempt.Progress?

    public init(_ job: Job, progress: Attempt.Progress?) {
        self.job = JobDocument(job, withCounts: true)
        self.progress = progress
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            job.writeFields(to: &writer)
            guard let progress else { return }
            writer.key("transferred")
            writer.value(progress.transferred)
            writer.key("elapsed")
            writer.value(.double(progress.elapsed))
            writer.key("instant")
            writer.value(.double(progress.instant))
            writer.key("average")
            writer.value(.double(progress.average))
        }
    }
}

extension JobEventDocument: Documented {
    public static let schema = JobDocument.counted.adding(
        "JobEvent",
        .object([
            "transferred?": .count.about("Bytes"), "elapsed?": .number.about("Seconds"),
            "instant?": .number.about("Bytes/s of late"), "average?": .number.about("Bytes/s overall"),
        ]))
}
