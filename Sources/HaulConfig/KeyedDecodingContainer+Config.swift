extension KeyedDecodingContainer {
    /// A value, or the default where the key is not there.
    public func decode<T: Decodable>(_ type: T.Type, forKey key: Key, default value: T) throws -> T {
        try decodeIfPresent(type, forKey: key) ?? value
    }

    /// An integer within bounds, or the default (where there is one) where the key is not there.
    public func decode(
        _ type: Int.Type, forKey key: Key, in range: ClosedRange<Int>, default value: Int? = nil
    ) throws -> Int {
        let wanted = "an integer from \(range.lowerBound) to \(range.upperBound)"
        return try bounded(key, wanted: wanted, default: value) { range.contains($0) }
    }

    /// A number within bounds (seconds, say, with a fraction), or the default (where there is one) where the key is not
    /// there.
    public func decode(
        _ type: Double.Type, forKey key: Key, in range: ClosedRange<Double>, default value: Double? = nil
    ) throws -> Double {
        let wanted = "a number from \(Self.short(range.lowerBound)) to \(Self.short(range.upperBound))"
        return try bounded(key, wanted: wanted, default: value) { range.contains($0) }
    }

    private func bounded<T: Decodable>(
        _ key: Key, wanted: String, default value: T?, _ accepts: (T) -> Bool
    ) throws -> T {
        if !contains(key), let value { return value }
        guard contains(key) else { return try decode(T.self, forKey: key) }
        guard let found = try? decode(T.self, forKey: key), accepts(found) else {
            throw ConfigValueError(expected: wanted, key: key.stringValue)
        }
        return found
    }

    private static func short(_ number: Double) -> String {
        Int(exactly: number).map { String($0) } ?? String(number)
    }
}
