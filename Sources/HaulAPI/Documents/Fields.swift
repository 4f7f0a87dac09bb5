import HaulModel

/// Reads the fields of a worker's document one by one and notes what is wrong with each; null counts as missing.
struct Fields {
    private let document: [String: JSONValue]
    private(set) var problems: [String: String] = [:]

    init(_ document: [String: JSONValue]) { self.document = document }

    /// - Throws: 400 that names every field that was wrong.
    func check() throws {
        if !problems.isEmpty { throw Problem.fields(problems) }
    }

    func value(_ name: String) -> JSONValue? { document[name].flatMap { $0.isNull ? nil : $0 } }

    /// A field that has to be there.
    mutating func required<T>(_ name: String, _ read: (inout Fields, String) -> T?) -> T? {
        if value(name) == nil {
            problems[name] = "is missing"
            return nil
        }
        return read(&self, name)
    }

    /// An integer, or a text of digits as workers of the documented system send.
    mutating func int(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) -> Int? {
        guard let value = value(name) else { return nil }
        if let number = value.int ?? value.string.flatMap({ Int($0) }), range.contains(number) { return number }
        problems[name] =
            range == Int.min...Int.max
            ? "must be an integer" : "must be an integer from \(range.lowerBound) to \(range.upperBound)"
        return nil
    }

    /// A number that is not negative; a text of one counts.
    mutating func number(_ name: String) -> Double? {
        guard let value = value(name) else { return nil }
        let number: Double? =
            switch value {
            case .int(let whole): Double(whole)
            case .double(let real): real
            case .string(let text): Double(text)
            default: nil
            }
        if let number, number.isFinite, number >= 0 { return number }
        problems[name] = "must be a number that is not negative"
        return nil
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if case .bool(let flag) = value { return flag }
        problems[name] = "must be true or false"
        return nil
    }

    mutating func text(_ name: String, limit: Int = 1 << 20) -> String? {
        guard let value = value(name) else { return nil }
        if let text = value.string, text.utf8.count <= limit { return text }
        problems[name] = "must be a text of up to \(limit) bytes"
        return nil
    }

    /// A list whose every item `read` understands.
    mutating func list<T>(_ name: String, _ of: String, _ read: (JSONValue) -> T?) -> [T]? {
        guard let value = value(name) else { return nil }
        guard let items = value.array else {
            problems[name] = "must be a list of \(of)"
            return nil
        }
        let known = items.compactMap(read)
        if let wrong = items.first(where: { read($0) == nil }) {
            problems[name] =
                "must be a list of \(of), and \(String(decoding: JSONText.bytes(wrong).prefix(64), as: UTF8.self)) is none"
        }
        return known
    }

    mutating func note(_ name: String, _ problem: String) { problems[name] = problem }
}
