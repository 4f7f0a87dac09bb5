/// One option that a protocol knows, as its manifest declares it:
/// `{"name": "port", "type": "int", "min": 1, "max": 65535, "default": 22, "summary": "TCP port"}`.
public struct OptionSpec: Sendable, Hashable, Codable {
    /// What values an option takes.
    public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        case bool
        /// An integer between `min` and `max`, both included.
        case int
        case string
        /// One of `values`.
        case `enum`
        /// A list of strings.
        case list
    }

    public var name: String
    public var type: Kind
    /// One line for `haul protocol show` and the documentation; may be empty.
    public var summary: String
    /// The values of an `enum`.
    public var values: [String]?
    /// The least value of an `int`.
    public var min: Int?
    /// The greatest value of an `int`.
    public var max: Int?
    /// The value where none is given; absent: the backend is told nothing.
    public var `default`: JSONValue?
    /// Of a site's options: it says something of the worker's machine or network, so users say nothing of it for sites of
    /// their own.
    public var isOperators = false

    public init(
        name: String, type: Kind, summary: String = "", values: [String]? = nil, min: Int? = nil, max: Int? = nil,
        default: JSONValue? = nil
    ) {
        self.name = name
        self.type = type
        self.summary = summary
        self.values = values
        self.min = min
        self.max = max
        self.default = `default`
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, type, summary, values, min, max, `default`
        case isOperators = "operators"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        type = try container.decode(Kind.self, forKey: .type)
        summary = try container.decodeIfPresent(String.self, forKey: .summary) ?? ""
        values = try container.decodeIfPresent([String].self, forKey: .values)
        min = try container.decodeIfPresent(Int.self, forKey: .min)
        max = try container.decodeIfPresent(Int.self, forKey: .max)
        self.default = try container.decodeIfPresent(JSONValue.self, forKey: .default)
        isOperators = try container.decodeIfPresent(Bool.self, forKey: .isOperators) ?? false
    }
}
