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
    /// As a registration's document has them: texts, unknown ones among the options.
    var document: [String: JSONValue] = [:]

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

    /// Sets a parameter of the transfer.
    mutating func set(_ name: String, _ value: String) {
        let lower = name.lowercased()
        if lower == JobRequest.optionsName, let object = (try? JSONReader.value(Array(value.utf8)))?.object {
            for (name, value) in object { setOption(name, value) }
        } else if JobRequest.fieldNames.contains(lower), lower != JobRequest.optionsName {
            document[lower] = .string(value)
        } else {
            setOption(Self.optionNames.contains(lower) ? lower : name, .string(value))
        }
    }

    private static let optionNames = Set(CommonOptions.specs.map(\.name))

    private mutating func setOption(_ name: String, _ value: JSONValue) {
        var options = document[JobRequest.optionsName]?.object ?? [:]
        options[name] = value
        document[JobRequest.optionsName] = .object(options)
    }

    /// The same without what a list's jobs can't have otherwise, and with names as the job has them already.
    func fitted(to list: UWSList, _ job: Job? = nil) -> [String: JSONValue] {
        var document = document
        if list.type != nil { document["type"] = nil }
        guard let options = document[JobRequest.optionsName]?.object,
            let known = job?.draft?.document[JobRequest.optionsName]?.object
        else { return document }
        var fitted: [String: JSONValue] = [:]
        for (name, value) in options {
            let same = known.keys.first { $0.lowercased() == name.lowercased() }
            fitted[same ?? name] = value
        }
        document[JobRequest.optionsName] = .object(fitted)
        return document
    }
}

extension Job {
    /// The parameters as UWS shows them: by name, options by their own.
    var uwsParameters: [(name: String, value: String)] {
        var document = parameters
        let options = document.removeValue(forKey: JobRequest.optionsName)
        if let options = options?.object {
            document.merge(options) { field, _ in field }
        } else {
            document[JobRequest.optionsName] = options
        }
        return document.sorted { $0.key < $1.key }.map { ($0.key, $0.value.string ?? JSONText.plain($0.value)) }
    }
}

extension JSONText {
    fileprivate static func plain(_ value: JSONValue) -> String { String(decoding: bytes(value), as: UTF8.self) }
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
