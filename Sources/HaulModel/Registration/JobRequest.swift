import Foundation

/// A job that a user asks for, checked.
public struct JobRequest: Sendable, Hashable {
    public var type: JobType
    public var protocolName: ProtocolName
    public var source: Job.Place
    public var destination: Job.Place?
    public var options: [String: JSONValue]
    public var priority: Int
    public var maxTries: Int
    public var queue: String
    public var label: String?
}

/// What is wrong with a request: field -> what was expected. Names every such field.
public struct FieldProblems: Error, Sendable, Hashable {
    public var fields: [String: String]

    public init(_ fields: [String: String]) { self.fields = fields }
}

/// What the server knows that a request is checked against.
public struct RegistrationRules: Sendable {
    public var sites: SiteDirectory
    /// The declarations of a protocol's options, by the protocol; those known to all where it has no manifest here.
    public var options: @Sendable (ProtocolName) -> [OptionSpec]
    /// What a job may name: the documented protocols, those of the sites, and those with a manifest here.
    public var protocols: Set<ProtocolName>

    /// - Parameter manifests: the protocols with a manifest here.
    public init(
        sites: SiteDirectory, manifests: [ProtocolName] = [],
        options: @escaping @Sendable (ProtocolName) -> [OptionSpec]
    ) {
        self.sites = sites
        self.options = options
        protocols = Set(ProtocolName.documented + sites.sites.map(\.protocolName) + manifests)
    }
}

extension JobRequest {
    /// The queue of a job that names none.
    public static let defaultQueue = "default"
    /// Bytes that `extra_opts` may have as JSON.
    public static let optionsLimit = 64 << 10

    /// Checks a registration's document (`POST /jobs`, `/list` ...). Fields that it does not know are ignored.
    ///
    /// - Parameter fixedType: the type that the URL stands for; nil where the document has to say it.
    public init(
        _ document: [String: JSONValue], type fixedType: JobType?, rules: RegistrationRules
    ) throws(FieldProblems) {
        var reader = FieldReader(document)
        let type = fixedType ?? reader.jobType()
        let source = reader.site("src_siteid", in: rules.sites)
        let sourcePath = reader.path("src_filepath")
        var target: Site?
        var targetPath: String?
        if type == .copy { target = reader.site("dst_siteid", in: rules.sites) }
        if type == .rename { target = source }
        if type?.hasDestination == true { targetPath = reader.path("dst_filepath") }
        let options = reader.options()
        let protocolName = reader.protocolName(among: rules.protocols) ?? source?.protocolName ?? .gridftp
        priority = reader.integer("priority", in: 0...9) ?? 5
        maxTries = reader.integer("max_tries", in: 1...100) ?? 2
        queue = reader.text("queue", limit: 64) ?? Self.defaultQueue
        label = reader.text("label", limit: 256)
        for problem in rules.options(protocolName).problems(in: options) {
            reader.problems["extra_opts.\(problem.key)"] = problem.message
        }
        if let source, let sourcePath {
            if let target, let targetPath, source.id == target.id,
                let below = TransferPath.relative(
                    TransferPath.normalized(targetPath), to: TransferPath.normalized(sourcePath))
            {
                if below.isEmpty { reader.problems["dst_filepath"] = "is the source itself" }
                if type == .rename, !below.isEmpty { reader.problems["dst_filepath"] = "is inside the source" }
            }
            if type == .remove, TransferPath.isRoot(sourcePath, siteRoot: source.root), options["confirm"] != true {
                reader.problems["src_filepath"] =
                    "is the root of the site: set extra_opts.confirm to true to remove all that is there"
            }
        }
        guard reader.problems.isEmpty, let type, let source, let sourcePath else {
            throw FieldProblems(reader.problems)
        }
        self.type = type
        self.protocolName = protocolName
        self.options = options
        self.source = Job.Place(siteID: source.id, path: sourcePath)
        if let target, let targetPath { destination = Job.Place(siteID: target.id, path: targetPath) }
    }
}

/// Reads the fields of a document one by one and notes what is wrong with each.
private struct FieldReader {
    let document: [String: JSONValue]
    var problems: [String: String] = [:]

    init(_ document: [String: JSONValue]) { self.document = document }

    /// A field's value; null counts as missing.
    private func value(_ name: String) -> JSONValue? {
        document[name].flatMap { $0.isNull ? nil : $0 }
    }

    mutating func jobType() -> JobType? {
        let type = value("type").flatMap { JobType($0) }
        if type == nil {
            problems["type"] =
                (value("type") == nil ? "is missing: " : "")
                + "must be one of LIST (0), COPY (1), REMOVE (2), RENAME (3), MKDIR (4)"
        }
        return type
    }

    mutating func site(_ name: String, in sites: SiteDirectory) -> Site? {
        let found: Site?
        switch value(name) {
        case nil:
            problems[name] = "is missing: must be a site's id or name"
            return nil
        case .int(let id): found = sites[id]
        case .string(let text): found = sites.site(text)
        case .some(let other):
            problems[name] = "must be a site's id or name, not \(other.kind)"
            return nil
        }
        if found == nil { problems[name] = "names no site that is known here" }
        return found
    }

    mutating func path(_ name: String) -> String? {
        switch value(name) {
        case nil: problems[name] = "is missing: must be a path"
        case .string(let path):
            guard let problem = TransferPath.problem(path) else { return path }
            problems[name] = problem
        case .some(let other): problems[name] = "must be a path, not \(other.kind)"
        }
        return nil
    }

    mutating func options() -> [String: JSONValue] {
        switch value("extra_opts") {
        case nil: return [:]
        case .object(let options):
            // A job's document is read whole wherever lists of jobs are: it has to stay small.
            guard let text = try? JSONEncoder().encode(options), text.count <= JobRequest.optionsLimit else {
                problems["extra_opts"] = "must be no longer than \(JobRequest.optionsLimit) bytes"
                return [:]
            }
            return options
        case .some(let other):
            problems["extra_opts"] = "must be an object, not \(other.kind)"
            return [:]
        }
    }

    mutating func protocolName(among known: Set<ProtocolName>) -> ProtocolName? {
        guard let value = value("protocol") else { return nil }
        if let name = ProtocolName(value), known.contains(name) { return name }
        let names = known.subtracting(ProtocolName.documented).map(\.name).sorted()
        problems["protocol"] =
            "must be one of " + (["GRIDFTP (0)", "SSH (1)", "DUMMY (2)"] + names).joined(separator: ", ")
        return nil
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(name) else { return nil }
        if let number = value.int, range.contains(number) { return number }
        problems[name] = "must be an integer from \(range.lowerBound) to \(range.upperBound)"
        return nil
    }

    mutating func text(_ name: String, limit: Int) -> String? {
        guard let value = value(name) else { return nil }
        if let text = value.string, !text.isEmpty, text.utf8.count <= limit,
            !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        {
            return text
        }
        problems[name] = "must be a text of 1 to \(limit) bytes without control characters"
        return nil
    }
}
