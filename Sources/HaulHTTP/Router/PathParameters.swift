/// What stood in a path where its pattern has a name, percent-decoded.
public struct PathParameters: Sendable, Equatable {
    private var values: [String: String]

    init(_ values: [String: String] = [:]) {
        self.values = values
    }

    /// The segment at `:name`; "" when the pattern has no such name.
    public subscript(name: String) -> String { values[name] ?? "" }
}
