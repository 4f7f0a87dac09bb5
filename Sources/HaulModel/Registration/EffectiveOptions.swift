/// The options with which an element is run.
public enum EffectiveOptions {
    /// Those of its job; but a RENAME looks at its source alone (`depth` 0), and a REMOVE at all of it, links as links.
    public static func of(
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
        case .list, .copy, .mkdir, .task:
            break
        }
        return result
    }
}
