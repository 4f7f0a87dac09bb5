import HaulHTTP
import HaulModel
import HaulWire

/// What a request of UWS asks for: parameters of the query and of a form, their names in any case. Some are the job's own,
/// the others are those of the transfer, by the names of the native API.
struct UWSParameters {
    var phase: String?
    var runID: String?
    var executionDuration: String?
    var destruction: String?
    var action: String?
    /// Of the transfer, by name.
    private var fields: [String: JSONValue] = [:]
    /// Of the transfer's protocol, and what nobody knows, as they are spelled, by their names in lower case.
    private var options: [String: (name: String, value: JSONValue)] = [:]

    /// - Throws: 400 for a body that is no form, 415 for one of another type.
    init(_ request: HTTPRequest) throws {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        let form: FormFields
        do throws(FormProblem) { form = try FormFields(request) } catch {
            switch error {
            case .malformed(let what):
                throw Problem.invalid("bad_form", "The body is no form: \(what).", hint: "Send a form.")
            case .unknownType(let type): throw Problem.noForm(type)
            }
        }
        // What is in the body counts more.
        for (name, value) in request.query + form.fields { take(name, value) }
    }

    private mutating func take(_ name: String, _ value: String) {
        switch name.uppercased() {
        case "PHASE": phase = value
        case "RUNID": runID = value
        case "EXECUTIONDURATION": executionDuration = value
        case "DESTRUCTION": destruction = value
        case "ACTION": action = value
        default: set(name, value)
        }
    }

    /// Whether nothing says what a part of a job shall be that is posted to: `phase`, `executionduration` or `destruction`.
    func lacks(_ part: String) -> Bool {
        switch part {
        case "phase": phase == nil
        case "executionduration": executionDuration == nil
        case "destruction": destruction == nil
        default: false
        }
    }

    /// Sets a parameter of the transfer.
    mutating func set(_ name: String, _ value: String) {
        let lower = name.lowercased()
        if lower == JobRequest.optionsName, let object = (try? JSONReader.value(Array(value.utf8)))?.object {
            for (name, value) in object { options[name.lowercased()] = (name, value) }
        } else if JobRequest.fieldNames.contains(lower), lower != JobRequest.optionsName {
            fields[lower] = .string(value)
        } else {
            options[lower] = (name, .string(value))
        }
    }

    /// As a registration's document has them, without the type that a list's jobs have anyway; options with the names by
    /// which protocols declare them, others as the job has them already.
    ///
    /// - Throws: 400 for another type than the list's.
    func fitted(to list: UWSList, _ rules: RegistrationRules, _ job: Job? = nil) throws -> [String: JSONValue] {
        var document = fields
        if let type = list.type, let asked = document.removeValue(forKey: UWSList.typeField), JobType(asked) != type {
            throw UWSAPI.Refusal.invalid(
                "TYPE must be \(type.name) or missing: the jobs of this list are of no other type.")
        }
        guard !options.isEmpty else { return document }
        let known = job?.draft?.document[JobRequest.optionsName]?.object ?? [:]
        let names = Dictionary((rules.optionNames + known.keys).map { ($0.lowercased(), $0) }) { first, _ in first }
        let fitted = options.map { (names[$0.key] ?? $0.value.name, $0.value.value) }
        document[JobRequest.optionsName] = .object(Dictionary(fitted) { $1 })
        return document
    }
}

extension Job {
    /// The parameters as a list of UWS shows them: by name, options by their own. What type of job it is says `TYPE`, in the
    /// lists of any; the others have one type alone, and no such parameter.
    func uwsParameters(in list: UWSList) -> [(name: String, value: String)] {
        var document = parameters
        let options = document.removeValue(forKey: JobRequest.optionsName)
        if let options = options?.object {
            document.merge(options) { field, _ in field }
        } else {
            document[JobRequest.optionsName] = options
        }
        let type = document.removeValue(forKey: UWSList.typeField)
        if list.type == nil { document[UWSList.typeName] = type }
        return document.sorted { $0.key < $1.key }.map { ($0.key, JSONText.plain($0.value)) }
    }
}

extension Problem {
    fileprivate static func noForm(_ type: String) -> Problem {
        var problem = invalid(
            "no_form", "The body is of the type \(type), which is none of a form.",
            hint: "Send application/x-www-form-urlencoded or multipart/form-data.")
        problem.document.status = 415
        problem.document.title = "Unsupported media type"
        return problem
    }
}
