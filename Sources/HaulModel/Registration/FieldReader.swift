import Foundation

/// Reads the fields of a document one by one and notes what is wrong with each.
struct FieldReader {
    let document: [String: JSONValue]
    /// Texts count for what they spell; an empty one is missing.
    let readsTexts: Bool
    var problems: [String: String] = [:]

    init(_ document: [String: JSONValue], readsTexts: Bool = false) {
        self.document = document
        self.readsTexts = readsTexts
    }

    /// A field's value; null counts as missing.
    private func value(_ name: String) -> JSONValue? {
        document[name].flatMap { $0.isNull || readsTexts && $0 == "" ? nil : $0 }
    }

    mutating func jobType() -> JobType? {
        let type = value("type").flatMap { JobType($0) }
        if type == nil {
            problems["type"] =
                (value("type") == nil ? "is missing: " : "")
                + "must be one of LIST (0), COPY (1), REMOVE (2), RENAME (3), MKDIR (4), TASK (5)"
        }
        return type
    }

    mutating func site(_ name: String, _ rules: RegistrationRules) -> Site? {
        var found: Site?
        let given: String
        switch value(name) {
        case nil:
            problems[name] = "is missing: must be a site's id or name"
            return nil
        case .int(let id): (found, given) = (rules.sites[id], "\(id)")
        case .string(let text): (found, given) = (rules.sites.site(text), "\"\(text.prefix(64))\"")
        case .some(let other):
            problems[name] = "must be a site's id or name, not \(other.kind)"
            return nil
        }
        if let site = found, !site.access.admits(rules.user) { found = nil }
        if found == nil {
            problems[name] =
                "is \(given), and no site that you may use has this name or id: GET /sites (haul sites) lists them"
        }
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
        let number = value.int ?? (readsTexts ? value.string.flatMap { Int($0) } : nil)
        if let number, range.contains(number) { return number }
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

    /// What there is to do of a TASK, as it was given: any text that is not too long.
    mutating func task(isNeeded: Bool) -> String? {
        guard let value = value(JobRequest.taskName) else {
            if isNeeded { problems[JobRequest.taskName] = "is missing: must be a text" }
            return nil
        }
        guard let text = value.string, !text.isEmpty else {
            problems[JobRequest.taskName] = "must be a text that is not empty"
            return nil
        }
        // A job's document is read whole wherever lists of jobs are: it has to stay small.
        guard let bytes = try? JSONEncoder().encode(text), bytes.count <= JobRequest.taskLimit else {
            problems[JobRequest.taskName] = "must be no longer than \(JobRequest.taskLimit) bytes, as JSON"
            return nil
        }
        return text
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if case .bool(let flag) = value { return flag }
        problems[name] = "must be true or false"
        return nil
    }

    /// A moment (RFC 3339, seconds may be missing).
    mutating func time(_ name: String) -> Timestamp? {
        guard let value = value(name) else { return nil }
        if let time = value.string.flatMap({ Timestamp(text: $0) }) { return time }
        problems[name] = "must be a time: \"2026-01-31T12:00Z\", or a date"
        return nil
    }

    /// True for a field that is there and null.
    func isNull(_ name: String) -> Bool { document[name]?.isNull == true }
}
