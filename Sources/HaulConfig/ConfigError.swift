/// What is wrong with a config file, in one line: `config/hauld.json5:12: listen.port: expected an integer from 0 to
/// 65535, found "http"`. A program prints it and exits 2.
public struct ConfigError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The file, as its path was given.
    public var file: String
    /// From 1; nil where the file could not be read at all.
    public var line: Int?
    /// From 1, in characters; of syntax errors alone.
    public var column: Int?
    /// The key that is wrong, from the top of the document: `sites.ssh-a.endpoints[1]`.
    public var key: String?
    public var message: String

    public init(file: String, line: Int? = nil, column: Int? = nil, key: String? = nil, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
    }

    public var description: String {
        var place = file
        if let line { place += ":\(line)" }
        if let column { place += ":\(column)" }
        return ([place, key].compactMap { $0 } + [message]).joined(separator: ": ")
    }
}

/// What a config type throws from its `init(from:)` about a value of the right type that it cannot use: it becomes a
/// `ConfigError` with the line and key of that value.
public struct ConfigValueError: Error, Sendable {
    /// What would have been right: `a number of seconds above 0`.
    public var expected: String
    /// The key, of those that the throwing type decodes; nil for the value as a whole.
    public var key: String?

    public init(expected: String, key: String? = nil) {
        self.expected = expected
        self.key = key
    }
}
