public import HaulModel

/// An event of `GET /jobs/J/events`: the job as `GET /jobs/J` has it; while it waits, what is ahead of it; and, from the first progress on while some of it runs,
/// what its attempts that run moved so far, all of them together.
public struct JobEventDocument: Sendable, JSONWritable {
    public var job: JobDocument
    /// `transferred` (bytes), `instant` and `average` (bytes/s): sums; `elapsed` (s): the longest.
    public var progress: Attempt.Progress?

    /// Elements that are handed out before it, at least; nil once it does not wait as a whole.
    public var ahead: Int?

    public init(_ job: Job, progress: Attempt.Progress?, ahead: Int? = nil) {
        self.job = JobDocument(job, withCounts: true)
        self.progress = progress
        self.ahead = ahead
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            job.writeFields(to: &writer)
            if let ahead {
                writer.key("ahead")
                writer.value(ahead)
            }
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
            "ahead?": .count.about("While it waits: elements before it, at least"),
            "transferred?": .count.about("Bytes"), "elapsed?": .number.about("Seconds"),
            "instant?": .number.about("Bytes/s of late"), "average?": .number.about("Bytes/s overall"),
        ]))
}
