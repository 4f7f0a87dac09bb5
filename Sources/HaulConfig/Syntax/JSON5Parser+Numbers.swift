extension JSON5Parser {
    /// A number: decimal with or without a leading or final point, hexadecimal, `Infinity` or `NaN`, signed or not.
    mutating func number() throws(SyntaxError) -> Node.Number {
        let start = position
        // A point and a sign in the exponent are part of it; whatever else follows makes it no number.
        while let current, Self.belongs(current, after: position > start ? scalars[position - 1] : nil) {
            position += 1
        }
        let text = String(String.UnicodeScalarView(scalars[start..<position]))
        guard let number = Self.read(text) else { throw error("\(text.prefix(40)) is no number", at: start) }
        return number
    }

    private static func belongs(_ scalar: Unicode.Scalar, after last: Unicode.Scalar?) -> Bool {
        if scalar == "+" || scalar == "-" { return last == nil || last == "e" || last == "E" }
        return scalar == "." || scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }

    private static func read(_ text: String) -> Node.Number? {
        let isNegative = text.hasPrefix("-")
        let bare = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        if bare == "Infinity" { return .init(text: text, double: isNegative ? -.infinity : .infinity) }
        if bare == "NaN" { return .init(text: text, double: .nan) }
        if bare.hasPrefix("0x") || bare.hasPrefix("0X") {
            let digits = bare.dropFirst(2)
            guard digits.allSatisfy(\.isHexDigit), digits.utf8.count <= 16, let value = Int128(digits, radix: 16) else {
                return nil
            }
            return .init(text: text, integer: isNegative ? -value : value, double: Double(isNegative ? -value : value))
        }
        guard isDecimal(bare), let double = Double(spelled(bare)), double.isFinite else { return nil }
        let exact = Int128(bare) ?? (double < 1e15 && double.rounded() == double ? Int128(double) : nil)
        return .init(
            text: text, integer: exact.map { isNegative ? -$0 : $0 }, double: isNegative ? -double : double)
    }

    /// Digits, maybe with a point, maybe with an exponent; no zero in front of other digits.
    private static func isDecimal(_ text: Substring) -> Bool {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        if parts.count == 2 {
            let exponent = parts[1].hasPrefix("+") || parts[1].hasPrefix("-") ? parts[1].dropFirst() : parts[1]
            guard isDigits(exponent) else { return false }
        }
        let digits = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = digits[0]
        guard whole.isEmpty || isDigits(whole), !(whole.utf8.count > 1 && whole.hasPrefix("0")) else { return false }
        if digits.count == 1 { return !whole.isEmpty }
        return digits[1].isEmpty ? !whole.isEmpty : isDigits(digits[1])
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// `.5` and `5.` as `Double` reads them.
    private static func spelled(_ text: Substring) -> String {
        var result = text.hasPrefix(".") ? "0" + text : String(text)
        if let point = result.firstIndex(of: "."), !(result[result.index(after: point)...].first?.isNumber ?? false) {
            result.insert("0", at: result.index(after: point))
        }
        return result
    }
}
