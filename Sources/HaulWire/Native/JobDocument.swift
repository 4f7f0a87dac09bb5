public import HaulModel

/// A job as users read it (`GET /jobs`, `GET /jobs/J`, and the answer to a registration).
public struct JobDocument: Sendable, Hashable, Codable {
    public var id: Int
    public var userID: Int
    public var sourceSiteID: Int
    /// COPY and RENAME only.
    public var destinationSiteID: Int?
    public var sourcePath: String
    /// COPY and RENAME only.
    public var destinationPath: String?
    public var type: String
    public var status: String
    public var options: [String: JSONValue]
    public var priority: Int
    public var protocolName: String
    public var logUID: String
    /// Last change: UTC, milliseconds, `Z`.
    public var timestamp: String
    public var queue: String
    public var maxTries: Int
    public var label: String?
    /// When what has not ended fails: UTC, milliseconds, `Z`.
    public var deadline: String?
    /// It stays past the time for which ended jobs are kept; left out where it does not.
    public var keep: Bool?
    /// When the first of it was handed out: UTC, milliseconds, `Z`.
    public var started: String?
    public var ended: String?
    /// Of one that failed: why the last of its elements did that failed.
    public var errorClass: String?
    /// Seconds from its start after which it is cancelled; left out where it is any number.
    public var executionDuration: Int?
    /// When it is cancelled and removed.
    public var destruction: String?
    /// Of a TASK what there is to do; of others the words in which they were asked for, where there are any.
    public var task: String?
    /// With the answer to a registration alone: what may go wrong, in words.
    public var warnings: [String]?
    /// Elements by status; in `GET /jobs` and `GET /jobs/J` alone.
    public var counts: Counts?

    public struct Counts: Sendable, Hashable {
        public var elements: Int
        public var new: Int
        public var done: Int
        public var failed: Int
        public var submitted: Int
        public var running: Int
        public var cancelled: Int
    }

    public init(_ job: Job, withCounts: Bool) {
        id = job.id
        userID = job.userID
        sourceSiteID = job.source.siteID
        destinationSiteID = job.destination?.siteID
        sourcePath = job.source.path
        destinationPath = job.destination?.path
        type = job.type.name
        status = job.status.name
        options = job.options
        priority = job.priority
        protocolName = job.protocolName.name
        logUID = job.logUID
        timestamp = job.changed.text
        queue = job.queue
        maxTries = job.maxTries
        label = job.label
        deadline = job.deadline?.text
        keep = job.isKept ? true : nil
        started = job.started?.text
        ended = job.ended?.text
        errorClass = job.status == .failed ? job.errorClass?.rawValue : nil
        executionDuration = job.executionSeconds > 0 ? job.executionSeconds : nil
        destruction = job.destruction?.text
        task = job.task
        if withCounts {
            counts = Counts(
                elements: job.counts.total, new: job.counts.new, done: job.counts.done, failed: job.counts.failed,
                submitted: job.counts.submitted, running: job.counts.running, cancelled: job.counts.cancelled)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id, type, status, priority, timestamp, queue, label, deadline, keep, warnings, started, ended, destruction
        case task
        case errorClass = "error_class"
        case executionDuration = "execution_duration"
        case userID = "user_id"
        case sourceSiteID = "src_siteid"
        case destinationSiteID = "dst_siteid"
        case sourcePath = "src_filepath"
        case destinationPath = "dst_filepath"
        case options = "extra_opts"
        case protocolName = "protocol"
        case logUID = "log_uid"
        case maxTries = "max_tries"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(Int.self, forKey: .id)
        userID = try container.decode(Int.self, forKey: .userID)
        sourceSiteID = try container.decodeIfPresent(Int.self, forKey: .sourceSiteID) ?? Job.Place.nowhere.siteID
        destinationSiteID = try container.decodeIfPresent(Int.self, forKey: .destinationSiteID)
        sourcePath = try container.decodeIfPresent(String.self, forKey: .sourcePath) ?? Job.Place.nowhere.path
        destinationPath = try container.decodeIfPresent(String.self, forKey: .destinationPath)
        type = try container.decode(String.self, forKey: .type)
        status = try container.decode(String.self, forKey: .status)
        options = try container.decode([String: JSONValue].self, forKey: .options)
        priority = try container.decode(Int.self, forKey: .priority)
        protocolName = try container.decode(String.self, forKey: .protocolName)
        logUID = try container.decode(String.self, forKey: .logUID)
        timestamp = try container.decode(String.self, forKey: .timestamp)
        queue = try container.decode(String.self, forKey: .queue)
        maxTries = try container.decode(Int.self, forKey: .maxTries)
        label = try container.decodeIfPresent(String.self, forKey: .label)
        deadline = try container.decodeIfPresent(String.self, forKey: .deadline)
        keep = try container.decodeIfPresent(Bool.self, forKey: .keep)
        started = try container.decodeIfPresent(String.self, forKey: .started)
        ended = try container.decodeIfPresent(String.self, forKey: .ended)
        errorClass = try container.decodeIfPresent(String.self, forKey: .errorClass)
        executionDuration = try container.decodeIfPresent(Int.self, forKey: .executionDuration)
        destruction = try container.decodeIfPresent(String.self, forKey: .destruction)
        task = try container.decodeIfPresent(String.self, forKey: .task)
        warnings = try container.decodeIfPresent([String].self, forKey: .warnings)
        counts = try? Counts(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(userID, forKey: .userID)
        // A TASK is nowhere.
        if sourceSiteID != Job.Place.nowhere.siteID {
            try container.encode(sourceSiteID, forKey: .sourceSiteID)
            try container.encode(sourcePath, forKey: .sourcePath)
        }
        try container.encodeIfPresent(destinationSiteID, forKey: .destinationSiteID)
        try container.encodeIfPresent(destinationPath, forKey: .destinationPath)
        try container.encode(type, forKey: .type)
        try container.encode(status, forKey: .status)
        try container.encode(options, forKey: .options)
        try container.encode(priority, forKey: .priority)
        try container.encode(protocolName, forKey: .protocolName)
        try container.encode(logUID, forKey: .logUID)
        try container.encode(timestamp, forKey: .timestamp)
        try container.encode(queue, forKey: .queue)
        try container.encode(maxTries, forKey: .maxTries)
        try container.encodeIfPresent(label, forKey: .label)
        try container.encodeIfPresent(deadline, forKey: .deadline)
        try container.encodeIfPresent(keep, forKey: .keep)
        try container.encodeIfPresent(started, forKey: .started)
        try container.encodeIfPresent(ended, forKey: .ended)
        try container.encodeIfPresent(errorClass, forKey: .errorClass)
        try container.encodeIfPresent(executionDuration, forKey: .executionDuration)
        try container.encodeIfPresent(destruction, forKey: .destruction)
        try container.encodeIfPresent(task, forKey: .task)
        try container.encodeIfPresent(warnings, forKey: .warnings)
        try counts?.encode(to: encoder)
    }
}

extension JobDocument.Counts: Codable {
    private enum CodingKeys: String, CodingKey {
        case elements = "num_elements"
        case new = "num_new"
        case done = "num_done"
        case failed = "num_failed"
        case submitted = "num_submitted"
        case running = "num_running"
        case cancelled = "num_cancelled"
    }
}

extension JobDocument: Documented {
    /// As a registration answers it.
    public static let schema = Schema.object(
        "Job",
        [
            "id": .count, "user_id": .count, "src_siteid?": Schema.count.about("Of all but a TASK"),
            "dst_siteid?": .count, "src_filepath?": .text,
            "dst_filepath?": .text, "type": .jobType, "status": .status, "extra_opts": .values,
            "priority": .integer(0...9).about("0 is served first"), "protocol": .text, "log_uid": .text,
            "timestamp": .time.about("Of the last change"), "queue": .text, "max_tries": .integer(1...100),
            "label?": .text, "deadline?": .time.about("When what has not ended fails"),
            "keep?": .flag.about("It stays past the retention"),
            "started?": .time.about("When the first of it was handed out"), "ended?": .time,
            "error_class?": .one(of: ErrorClass.allCases.map(\.rawValue)).about(
                "Of one that failed: why the last of its elements did that failed"),
            "execution_duration?": .count.about("Seconds from its start after which it is cancelled"),
            "destruction?": .time.about("When it is cancelled and removed"),
            "task?": Schema.text.about(
                "Of a TASK what there is to do; of others the words in which they were asked for; not in lists"),
            "warnings?": Schema.list(of: .text).about("With the answer to a registration: what may go wrong"),
        ])

    /// With its elements by status.
    public static let counted = schema.adding(
        "CountedJob",
        .object([
            "num_elements": .count, "num_new": .count, "num_done": .count, "num_failed": .count,
            "num_submitted": .count, "num_running": .count, "num_cancelled": .count,
        ]))
}

extension Schema {
    static let status = one(of: Status.allCases.map(\.name))
    static let jobType = one(of: JobType.allCases.map(\.name))
}
