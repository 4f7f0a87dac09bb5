/// What a job does: jobs that are equal in it do the same, whoever registers them, when, and in which queue.
public struct JobLikeness: Sendable, Hashable {
    private var type: JobType
    private var protocolName: ProtocolName
    /// Source and destination, however they were spelled.
    private var places: [Job.Place]
    private var options: [String: JSONValue]
    /// Of a TASK: what there is to do.
    private var task: String?

    public init(_ job: Job) {
        self.init(job.type, job.protocolName, [job.source, job.destination], job.options, job.task)
    }

    public init(_ request: JobRequest) {
        self.init(
            request.type, request.protocolName, [request.source, request.destination], request.options, request.task)
    }

    private init(
        _ type: JobType, _ protocolName: ProtocolName, _ places: [Job.Place?], _ options: [String: JSONValue],
        _ task: String?
    ) {
        self.type = type
        self.protocolName = protocolName
        self.places = places.compactMap(\.self).map {
            Job.Place(siteID: $0.siteID, path: TransferPath.normalized($0.path))
        }
        self.options = options
        self.task = type == .task ? task : nil
    }

    public func write(to writer: inout JSONWriter) {
        writer.array { writer in
            writer.value(type.name)
            writer.value(protocolName.name)
            for place in places {
                writer.value(place.siteID)
                writer.value(place.path)
            }
            writer.value(options)
            writer.value(task)
        }
    }
}
