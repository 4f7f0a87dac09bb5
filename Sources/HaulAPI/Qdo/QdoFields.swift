import HaulHTTP
import HaulModel
import HaulWire

/// What a request of qdo says: a JSON object, or a form, whose fields are texts and may come several times.
struct QdoFields {
    /// Values of a request that is not about many tasks.
    static let usual = 1000

    private var values: [String: [JSONValue]] = [:]
    private let most: Int

    /// - Parameter most: values that it may have.
    /// - Throws: 400 for a body that is neither, 415 for one of another type.
    init(_ request: HTTPRequest, most: Int = usual) throws {
        self.most = most
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        let type = request.headers["Content-Type"]?.prefix { $0 != ";" }.lowercased() ?? ""
        if type == "application/json" || type.hasSuffix("+json") {
            guard !request.body.isEmpty else { return }
            values = try JSONText.object(request.body, most: most).compactMapValues { $0.isNull ? nil : [$0] }
            return
        }
        let form: FormFields
        do throws(FormProblem) { form = try FormFields(request, most: most) } catch {
            switch error {
            case .malformed(let what):
                throw Problem.invalid("bad_form", "The body is no form: \(what).", hint: "Send a form, or JSON.")
            case .unknownType(let type): throw Problem.unknownType(type)
            }
        }
        for (name, value) in form.fields { values[name, default: []].append(.string(value)) }
    }

    /// A text; the last, where there are several.
    ///
    /// - Throws: 400 for what is none.
    func text(_ name: String) throws -> String? {
        guard let value = values[name]?.last else { return nil }
        guard let text = value.string else { throw Problem.fields([name: "must be a text, not \(value.kind)"]) }
        return text
    }

    /// An integer, or a text of one.
    ///
    /// - Throws: 400 for what is none.
    func int(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = values[name]?.last, value != "" else { return nil }
        guard let number = value.int ?? value.string.flatMap({ Int($0) }), range.contains(number) else {
            throw Problem.fields([name: "must be an integer from \(range.lowerBound) to \(range.upperBound)"])
        }
        return number
    }

    /// Texts: a list in JSON; in a form a field each, or one whose text is such a list.
    ///
    /// - Throws: 400 for what is none.
    func texts(_ name: String) throws -> [String]? {
        guard var list = values[name] else { return nil }
        if list.count == 1, let inner = list[0].array ?? self.list(in: list[0].string) { list = inner }
        return try list.map { item in
            guard let text = item.string else { throw Problem.fields([name: "must be a list of texts"]) }
            return text
        }
    }

    private func list(in text: String?) -> [JSONValue]? {
        guard let text, text.hasPrefix("["), let list = (try? JSONReader.value(Array(text.utf8), most: most))?.array,
            list.allSatisfy({ $0.string != nil })
        else { return nil }
        return list
    }
}

extension Problem {
    fileprivate static func unknownType(_ type: String) -> Problem {
        var problem = invalid(
            "unknown_type", "The body is of the type \(type), which is neither JSON nor a form.",
            hint: "Send application/json, application/x-www-form-urlencoded or multipart/form-data.")
        problem.document.status = 415
        problem.document.title = "Unsupported media type"
        return problem
    }
}
