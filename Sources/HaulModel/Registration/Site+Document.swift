import Foundation

/// A site as documents have it: the body of `POST /sites`, and the database's own text. The same keys as in `sites.json5`.
extension Site {
    /// Bytes that `options` may have as JSON.
    static let optionsLimit = 64 << 10
    static let mostEndpoints = 64
    static let mostNames = 1000

    /// Reads what a document says of a site on top of what is known of it: a key that is missing stays as it is, null is
    /// what it was where nobody said anything.
    ///
    /// - Parameter options: what the protocol takes; nil for a protocol of which nothing is known.
    /// - Throws: every field that is wrong.
    public mutating func update(
        _ document: [String: JSONValue], options specs: (ProtocolName) -> [OptionSpec]?
    ) throws(FieldProblems) {
        var fields = SiteFields(document)
        fields.read("name") { value in
            guard let name = value?.string, Site.isName(name) else {
                return "must be 1 to 64 letters, digits, dots, dashes or underscores, and no number"
            }
            self.name = name
            return nil
        }
        fields.read("protocol") { value in
            guard let name = value.flatMap({ ProtocolName($0) }) else { return "must be the name of a protocol" }
            protocolName = name
            return nil
        }
        fields.read("endpoints") { value in
            let all = value?.array ?? []
            let found = all.compactMap(\.string)
            guard value == nil || value?.array != nil, found.count == all.count, found.allSatisfy(Site.isEndpoint),
                found.count <= Self.mostEndpoints
            else { return "must be a list of up to \(Self.mostEndpoints) HOST:PORT" }
            endpoints = found
            return nil
        }
        fields.read("options") { value in
            guard value == nil || value?.object != nil else { return "must be an object" }
            options = value?.object ?? [:]
            return nil
        }
        fields.read("root") { value in
            guard let value else {
                root = nil
                return nil
            }
            guard let path = value.string else { return "must be a path" }
            if let problem = TransferPath.problem(path) { return problem }
            root = path
            return nil
        }
        fields.read("limits") { value in
            guard let wanted = Limits(value) else {
                return "must be an object with `in` and `out`, each 1 to 1000000 or null"
            }
            limits = wanted
            return nil
        }
        fields.read("users") { Self.names($0, "users") { self.access.users = $0 } }
        fields.read("groups") { Self.names($0, "groups") { self.access.groups = $0 } }
        fields.read("owner") { value in
            access.owner = value?.string
            return nil
        }
        if fields.problems.isEmpty, let specs = specs(protocolName) {
            for problem in specs.problems(in: options) { fields.problems["options.\(problem.key)"] = problem.message }
        }
        if (try? JSONEncoder().encode(options))?.count ?? Int.max > Self.optionsLimit {
            fields.problems["options"] = "has more than \(Self.optionsLimit) bytes"
        }
        if !fields.problems.isEmpty { throw FieldProblems(fields.problems) }
    }

    private static func names(_ value: JSONValue?, _ what: String, _ set: ([String]?) -> Void) -> String? {
        guard let value else {
            set(nil)
            return nil
        }
        guard let names = value.array?.compactMap(\.string), names.count == value.array?.count,
            names.count <= mostNames, names.allSatisfy({ (1...256).contains($0.utf8.count) })
        else { return "must be a list of up to \(mostNames) names of \(what), or null" }
        set(names)
        return nil
    }

    /// All of it but its id and name.
    public var document: [String: JSONValue] {
        var document: [String: JSONValue] = [
            "protocol": .string(protocolName.name), "endpoints": .array(endpoints.map { .string($0) }),
            "options": .object(options),
        ]
        document["root"] = root.map { .string($0) }
        let limits = SiteUse.Direction.allCases.compactMap { way in self.limits[way].map { (way.rawValue, $0) } }
        if !limits.isEmpty {
            document["limits"] = .object(Dictionary(uniqueKeysWithValues: limits.map { ($0, .int($1)) }))
        }
        document["users"] = access.users.map { .array($0.map { .string($0) }) }
        document["groups"] = access.groups.map { .array($0.map { .string($0) }) }
        document["owner"] = access.owner.map { .string($0) }
        return document
    }
}

extension Site.Limits {
    /// nil for what is none.
    fileprivate init?(_ value: JSONValue?) {
        self.init()
        guard let value else { return }
        guard let object = value.object, Set(object.keys).isSubset(of: ["in", "out"]) else { return nil }
        for (way, value) in object where !value.isNull {
            guard let number = value.int, (1...1_000_000).contains(number) else { return nil }
            if way == "in" { into = number } else { out = number }
        }
    }
}

/// What a document says, key by key.
private struct SiteFields {
    let document: [String: JSONValue]
    var problems: [String: String] = [:]

    init(_ document: [String: JSONValue]) { self.document = document }

    /// - Parameter take: gets the value, nil for null; answers what is wrong with it.
    mutating func read(_ name: String, _ take: (JSONValue?) -> String?) {
        guard let value = document[name] else { return }
        if let problem = take(value.isNull ? nil : value) { problems[name] = problem }
    }
}
