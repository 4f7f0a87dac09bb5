/// A type that is one value of a document and not made of others.
protocol ConfigScalar {
    /// What it is in an error: `an integer from 0 to 255`.
    static var expected: String { get }
    init?(config value: Node.Value)
}

extension Bool: ConfigScalar {
    static var expected: String { "true or false" }

    init?(config value: Node.Value) {
        switch value {
        case .bool(let value): self = value
        case .variable("true"): self = true
        case .variable("false"): self = false
        default: return nil
        }
    }
}

extension String: ConfigScalar {
    static var expected: String { "a string" }

    init?(config value: Node.Value) {
        switch value {
        case .string(let value), .variable(let value): self = value
        default: return nil
        }
    }
}

extension ConfigScalar where Self: BinaryFloatingPoint {
    static var expected: String { "a number" }

    init?(config value: Node.Value) {
        // Infinity and NaN are JSON5, and no setting that anybody means.
        switch value {
        case .number(let value) where value.double.isFinite: self.init(value.double)
        case .variable(let text):
            guard let number = Double(text), number.isFinite else { return nil }
            self.init(number)
        default: return nil
        }
    }
}

extension Double: ConfigScalar {}
extension Float: ConfigScalar {}

extension ConfigScalar where Self: FixedWidthInteger {
    static var expected: String {
        Self.bitWidth == 64 && Self.isSigned ? "an integer" : "an integer from \(Self.min) to \(Self.max)"
    }

    init?(config value: Node.Value) {
        switch value {
        case .number(let value):
            guard let integer = value.integer else { return nil }
            self.init(exactly: integer)
        case .variable(let text): self.init(text)
        default: return nil
        }
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
