extension Int {
    /// An id as a path, a parameter or a field names it: its digits alone, as ``description`` has them; nil for anything else
    /// (`+5`, `005`, `-1`), so that nothing has two names.
    public init?(id text: some StringProtocol) {
        guard let number = Int(text), number >= 0, "\(number)" == text else { return nil }
        self = number
    }
}
