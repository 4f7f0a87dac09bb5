import HaulModel
import HaulProtocol
public import HaulWire

/// What a claimed element turned out to be.
public enum Claimed: Sendable {
    case work(Assignment)
    /// Cannot be run, and why: it is reported, never dropped.
    case unusable(AttemptKey, reason: String)
}

extension Claimed {
    /// Reads a claim: what each of its elements asks for, and at which sites.
    public static func read(_ jobs: [ClaimedJob]) -> [Claimed] {
        jobs.flatMap { job in job.elements.map { read($0, of: job) } }
    }

    private static func read(_ element: ClaimedElement, of job: ClaimedJob) -> Claimed {
        let key = AttemptKey(
            jobID: element.jobID, elementID: element.id, attempt: element.attempt, token: element.token)
        guard let jobType = JobType(rawValue: job.type), let elementType = JobType(rawValue: element.type) else {
            return .unusable(key, reason: "this worker knows no job type \(job.type) with elements \(element.type)")
        }
        guard jobType != .task, let operation = operation(of: elementType) else {
            return .unusable(key, reason: "a TASK is nothing that a worker runs")
        }
        guard let source = job.source else {
            return .unusable(key, reason: "site \(job.sourceSiteID) is not in the server's configuration")
        }
        guard let protocolName = ProtocolName(job.protocolValue) else {
            return .unusable(key, reason: "the job's protocol is none that a worker can read")
        }
        // So much smaller than what an integer holds that nothing made of them is larger.
        guard [element.attempts, element.forgiven].allSatisfy((0...1 << 40).contains) else {
            return .unusable(key, reason: "\(element.attempts) attempts of the element cannot be counted")
        }
        // The job's protocol is how its source is reached, and a destination of the same kind; any other destination
        // is reached as its site says.
        let from = Station(site: source, protocolName: protocolName.folder)
        var to: Station?
        if jobType == .copy, elementType == .copy || elementType == .mkdir {
            guard let site = job.destination else {
                let id = job.destinationSiteID.map(String.init) ?? "of its destination"
                return .unusable(key, reason: "site \(id) is not in the server's configuration")
            }
            let same = site.protocolName.lowercased() == source.protocolName.lowercased()
            to = Station(site: site, protocolName: same ? protocolName.folder : site.protocolName.lowercased())
        }
        if elementType.hasDestination, element.destinationPath == nil {
            return .unusable(key, reason: "the element has no destination")
        }
        // An empty directory of a COPY is made at the destination.
        let isEmptyDirectory = jobType == .copy && elementType == .mkdir
        let errand = Errand(
            jobID: job.id, jobType: jobType, elementType: elementType, operation: operation,
            source: isEmptyDirectory ? to ?? from : from, destination: elementType == .copy ? to : nil,
            options: EffectiveOptions.of(job.options, job: jobType, element: elementType), logUID: job.logUID)
        return .work(
            Assignment(
                key: key, errand: errand, sourcePath: element.sourcePath,
                destinationPath: elementType.hasDestination ? element.destinationPath : nil, size: element.size,
                tryNumber: element.attempts - element.forgiven + 1, maxTries: element.maxTries))
    }

    private static func operation(of type: JobType) -> ProtocolOperation? {
        switch type {
        case .list: .list
        case .copy: .copy
        case .remove: .remove
        case .rename: .rename
        case .mkdir: .mkdir
        case .task: nil
        }
    }
}
