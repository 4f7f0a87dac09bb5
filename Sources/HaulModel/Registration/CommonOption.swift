/// What a COPY does with a symbolic link in its source.
public enum SymlinkRule: String, Sendable, Hashable, CaseIterable {
    case fail, skip, follow
}

/// The options that every protocol knows and that the server itself looks at.
public enum CommonOption {
    /// The rule of a job's `symlinks` option; `fail` where it has none.
    public static func symlinks(in options: [String: JSONValue]) -> SymlinkRule {
        options["symlinks"]?.string.flatMap(SymlinkRule.init) ?? .fail
    }

    /// The options with which an element of a job is run: those of the job, but a RENAME looks at its source alone
    /// (`depth` 0), a REMOVE at all of it, and whatever it finds.
    public static func effective(
        _ options: [String: JSONValue], job: JobType, element: JobType
    ) -> [String: JSONValue] {
        var result = options
        guard element == .list else { return result }
        switch job {
        case .rename:
            result["depth"] = 0
            result["symlinks"] = nil
        case .remove:
            result["depth"] = nil
            result["symlinks"] = nil
        case .list, .copy, .mkdir:
            break
        }
        return result
    }
}
