/// A type that is one value of a document and not made of others.
protocol ConfigScalar {
    /// What it is in an error: `an integer from 0 to 255`.
    static var expected: String { get }
    init?(config value: Node.Value)
}

extension Bool: ConfigScalar {
    static var expected: String { "true or false" }

    init?(config value: Node.Value) {
        guard case .bool(let value) = value else { return nil }
        self = value
    }
}

extension String: ConfigScalar {
    static var expected: String { "a string" }

    init?(config value: Node.Value) {
        guard case .string(let value) = value else { return nil }
        self = value
    }
}

extension ConfigScalar where Self: BinaryFloatingPoint {
    static var expected: String { "a number" }

    init?(config value: Node.Value) {
        // Infinity and NaN are JSON5, and no setting that anybody means.
        guard case .number(let value) = value, value.double.isFinite else { return nil }
        self.init(value.double)
    }
}

extension Double: ConfigScalar {}
extension Float: ConfigScalar {}

extension ConfigScalar where Self: FixedWidthInteger {
    static var expected: String {
        Self.bitWidth == 64 && Self.isSigned ? "an integer" : "an integer from \(Self.min) to \(Self.max)"
    }

    init?(config value: Node.Value) {
        guard case .number(let value) = value, let integer = value.integer else { return nil }
        self.init(exactly: integer)
    }
}

extension Int: ConfigScalar {}
extension Int8: ConfigScalar {}
extension Int16: ConfigScalar {}
extension Int32: ConfigScalar {}
extension Int64: ConfigScalar {}
extension UInt: ConfigScalar {}
extension UInt8: ConfigScalar {}
extension UInt16: ConfigScalar {}
extension UInt32: ConfigScalar {}
extension UInt64: ConfigScalar {}
