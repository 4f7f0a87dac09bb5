import Foundation
import HaulEngine
import HaulHTTP
import HaulModel

/// The parameters of a request: of the query, and of a body that is a form or a JSON object, which counts more. One that is
/// empty is as if it were not there.
struct ClockworkParameters {
    private var values: [String: [JSONValue]] = [:]
    /// Objects of a JSON body, as they were written: among `values` an empty one stands for each.
    private var objects: [String: [UInt8]] = [:]

    /// - Throws: 400 for a body that is neither.
    init(_ request: HTTPRequest) throws {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        for (name, value) in request.query { values[name, default: []].append(.string(value)) }
        let type = request.headers["Content-Type"]?.lowercased() ?? ""
        var body: [String: [JSONValue]] = [:]
        if type.hasPrefix("application/json") {
            if !request.body.isEmpty {
                try JSONText.members(request.body, most: Engine.mostProperties).forEach { name, json in
                    let isObject = json.first == UInt8(ascii: "{")
                    if isObject { objects[name] = json }
                    body[name] = [isObject ? .object([:]) : try JSONText.value(json)]
                }
            }
        } else {
            let form: FormFields
            do throws(FormProblem) { form = try FormFields(request) } catch {
                switch error {
                case .malformed(let what): throw ClockworkAPI.Refusal.invalid("The body is no form: \(what).")
                case .unknownType(let type):
                    throw ClockworkAPI.Refusal(415, "The body must be a form or JSON, not \(type).")
                }
            }
            for (name, value) in form.fields { body[name, default: []].append(.string(value)) }
        }
        values.merge(body) { $1 }
        for (name, all) in values {
            values[name] = all.filter { !$0.isNull && $0.string != "" }
            if values[name]?.isEmpty == true { values[name] = nil }
        }
    }

    /// All that stands under a name.
    func all(_ name: String) -> [JSONValue] { values[name] ?? [] }

    /// A text, or a number written as one.
    ///
    /// - Throws: 400 for anything else.
    func text(_ name: String) throws -> String? {
        switch values[name]?.last {
        case nil: return nil
        case .string(let text): return text
        case .int(let number): return String(number)
        default: throw ClockworkAPI.Refusal.invalid("Field '\(name)' must be a text.")
        }
    }

    /// - Throws: 400 for what is none.
    func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = try text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw ClockworkAPI.Refusal.invalid(
                "Field '\(name)' cannot be cast as a valid integer: \(text.prefix(64)).")
        }
        return number
    }

    /// `True`, `1`, `yes`.
    func flag(_ name: String) throws -> Bool {
        if case .bool(let flag)? = values[name]?.last { return flag }
        return ["true", "1", "yes"].contains(try text(name)?.lowercased() ?? "")
    }

    /// An object, or a text that is one in JSON.
    ///
    /// - Throws: 400 for anything else, and where nothing is there.
    func object(_ name: String) throws -> JSONMembers {
        guard let value = values[name]?.last else {
            throw ClockworkAPI.Refusal.invalid("Missing '\(name)' from arguments.")
        }
        if value.object != nil { return try JSONMembers(objects[name] ?? []) ?? [:] }
        guard let text = value.string else {
            throw ClockworkAPI.Refusal.invalid("Expected '\(name)' to be a dict, but it is \(value.kind).")
        }
        let read: JSONMembers?
        do { read = try JSONMembers(Array(text.utf8), most: Engine.mostProperties) } catch {
            throw ClockworkAPI.Refusal.invalid(
                "'\(name)' is no JSON: line \(error.line), column \(error.column): \(error.message).")
        }
        guard let read else { throw ClockworkAPI.Refusal.invalid("Expected '\(name)' to be a dict.") }
        return read
    }

    /// Names: texts, lists of them, or texts that are such lists in JSON.
    ///
    /// - Throws: 400 for anything else, and where nothing is there.
    func names(_ name: String) throws -> [String] {
        guard values[name] != nil else { throw ClockworkAPI.Refusal.invalid("Missing argument '\(name)'.") }
        return try all(name).flatMap { value -> [String] in
            var value = value
            if let text = value.string {
                guard text.hasPrefix("["),
                    let list = try? JSONReader.value(Array(text.utf8), most: Engine.mostProperties), list.array != nil
                else { return [text] }
                value = list
            }
            guard let names = value.array?.map(\.string), !names.contains(nil) else {
                throw ClockworkAPI.Refusal.invalid("Expected '\(name)' to be a text or a list of texts.")
            }
            return names.compactMap(\.self)
        }
    }
}
