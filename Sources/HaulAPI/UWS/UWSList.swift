import HaulModel

/// A job list of UWS: one a type of job, and one of all, whose jobs name theirs in `TYPE`.
struct UWSList {
    /// As it stands in the path.
    var name: String
    /// The type of its jobs; nil: of any.
    var type: JobType?

    /// The parameter that says the type, where a list has jobs of any; and the field that it stands for.
    static let typeName = "TYPE"
    static let typeField = "type"

    /// Below this path of the server all of them stand.
    static let root = "/uws"

    /// - Returns: nil for a name that no list has.
    init?(_ name: String) {
        switch name {
        case "transfer", "async": type = nil
        default:
            guard let type = JobType.transfers.first(where: { $0.name.lowercased() == name }) else { return nil }
            self.type = type
        }
        self.name = name
    }

    /// Whether a job stands in it.
    func holds(_ job: Job) -> Bool { type == nil || type == (job.isSound ? job.type : job.draft?.type) }
}
