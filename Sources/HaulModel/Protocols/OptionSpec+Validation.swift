/// An option that a user, an operator or a manifest set wrongly.
public struct OptionProblem: Sendable, Hashable {
    /// The option's name.
    public var key: String
    /// What was expected and what was found, as a sentence's end: `must be an integer, not a string`.
    public var message: String

    public init(key: String, message: String) {
        self.key = key
        self.message = message
    }
}

extension OptionSpec {
    /// What is wrong with a value for this option; nil where nothing is. `null` counts as not given.
    public func problem(with value: JSONValue) -> String? {
        if value.isNull { return nil }
        switch type {
        case .bool: return value.bool == nil ? "must be true or false, not \(value.kind)" : nil
        case .int:
            guard let number = value.int else { return "must be an integer, not \(value.kind)" }
            if let min, number < min { return "must be at least \(min), not \(number)" }
            if let max, number > max { return "must be at most \(max), not \(number)" }
            return nil
        case .string: return value.string == nil ? "must be a string, not \(value.kind)" : nil
        case .enum:
            let choice = (values ?? []).joined(separator: ", ")
            guard let text = value.string else { return "must be one of \(choice), not \(value.kind)" }
            return (values ?? []).contains(text) ? nil : "must be one of \(choice), not \"\(text.prefix(64))\""
        case .list:
            guard let items = value.array else { return "must be a list of strings, not \(value.kind)" }
            return items.first { $0.string == nil }.map { "must be a list of strings, but holds \($0.kind)" }
        }
    }
}

extension Sequence<OptionSpec> {
    /// Every option among these that was given a value of the wrong type, by name. Unknown options are no problem
    /// here: ``unknown(in:)`` names them.
    public func problems(in options: [String: JSONValue]) -> [OptionProblem] {
        compactMap { spec in
            options[spec.name].flatMap(spec.problem).map { OptionProblem(key: spec.name, message: $0) }
        }
    }

    /// `options` with texts in the place of what they spell, where one of these knows its type: `"2"`, `"true"`, `"a,b"`.
    /// What can't be read stays as it is; an empty text goes.
    public func reading(_ options: [String: JSONValue]) -> [String: JSONValue] {
        var result = options.filter { $0.value != "" }
        for spec in self {
            guard let text = result[spec.name]?.string else { continue }
            switch spec.type {
            case .bool:
                result[spec.name] =
                    ["true": true, "1": true, "false": false, "0": false][text.lowercased()]
                    ?? .string(text)
            case .int: result[spec.name] = Int(text).map { .int($0) } ?? .string(text)
            case .list: result[spec.name] = .array(text.split(separator: ",").map { .string(String($0)) })
            case .string, .enum: break
            }
        }
        return result
    }

    /// The names in `options` that none of these declares, sorted: kept and warned of, never an error.
    public func unknown(in options: [String: JSONValue]) -> [String] {
        let known = Set(map(\.name))
        return options.keys.filter { !known.contains($0) }.sorted()
    }

    /// `options` with the defaults of what it leaves out (or sets to null).
    public func defaulted(_ options: [String: JSONValue]) -> [String: JSONValue] {
        var merged = options.filter { !$0.value.isNull }
        for spec in self where merged[spec.name] == nil {
            if let value = spec.default, !value.isNull { merged[spec.name] = value }
        }
        return merged
    }
}
