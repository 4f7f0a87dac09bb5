import HaulConfig

/// A command line that was taken apart.
struct Arguments: Sendable {
    var operands: [String] = []
    private var values: [String: [String]] = [:]

    init() {}

    func has(_ option: String) -> Bool { values[option] != nil }

    /// The value of an option; the last one where it was given more than once.
    subscript(option: String) -> String? { values[option]?.last }

    func all(_ option: String) -> [String] { values[option] ?? [] }

    /// A whole number within bounds.
    func number(_ option: String, in range: ClosedRange<Int>) throws(CLIError) -> Int? {
        guard let text = self[option] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .usage(
                "--\(option): expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(text)")
        }
        return number
    }

    /// Seconds, maybe with a fraction.
    func seconds(_ option: String) throws(CLIError) -> Double? {
        guard let text = self[option] else { return nil }
        guard let seconds = Double(text), seconds.isFinite, seconds >= 0, seconds <= 1e9 else {
            throw .usage("--\(option): expected a number of seconds, found \(text)")
        }
        return seconds
    }

    /// Reads the words behind the verb: `--name value`, `--name=value`, `-n value`, `-nvalue`; `--` ends the options, and
    /// a word like `-1` is an operand, since attempts are counted from the end that way.
    init(_ words: [String], options: [OptionSpec]) throws(CLIError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                return
            } else if word.hasPrefix("--") {
                try takeLong(word.dropFirst(2), &rest, options)
            } else if word.hasPrefix("-"), word != "-", Int(word) == nil {
                try takeShort(word.dropFirst(), &rest, options)
            } else {
                operands.append(word)
            }
        }
    }

    private mutating func takeLong(
        _ text: Substring, _ rest: inout ArraySlice<String>, _ options: [OptionSpec]
    ) throws(CLIError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        guard let option = options.first(where: { $0.name == name }) else {
            let near = NearMiss.of(name, in: options.map(\.name)).map { "did you mean --\($0)?" }
            throw .usage("unknown option --\(name)", hint: near)
        }
        try take(option, written: "--\(name)", attached: parts.count == 2 ? parts[1] : nil, &rest)
    }

    private mutating func takeShort(
        _ text: Substring, _ rest: inout ArraySlice<String>, _ options: [OptionSpec]
    ) throws(CLIError) {
        var letters = text
        while let letter = letters.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else {
                throw .usage("unknown option -\(letter)", hint: "a path that starts with a dash goes after --")
            }
            if option.value != nil {
                let attached = letters.isEmpty ? nil : String(letters.first == "=" ? letters.dropFirst() : letters)
                return try take(option, written: "-\(letter)", attached: attached, &rest)
            }
            try take(option, written: "-\(letter)", attached: nil, &rest)
        }
    }

    private mutating func take(
        _ option: OptionSpec, written: String, attached: String?, _ rest: inout ArraySlice<String>
    ) throws(CLIError) {
        guard let wanted = option.value else {
            guard attached == nil else { throw .usage("\(written) takes no value") }
            values[option.name] = []
            return
        }
        guard let value = attached ?? rest.popFirst() else {
            throw .usage("\(written) needs a value: \(wanted.placeholder)")
        }
        guard wanted.choices.isEmpty || wanted.choices.contains(value) else {
            let near = NearMiss.of(value, in: wanted.choices).map { "did you mean \($0)?" }
            throw .usage(
                "\(written): expected one of \(wanted.choices.joined(separator: ", ")), found \(value)", hint: near)
        }
        guard option.isRepeatable || values[option.name] == nil else {
            throw .usage("\(written) is given twice")
        }
        values[option.name, default: []].append(value)
    }
}
