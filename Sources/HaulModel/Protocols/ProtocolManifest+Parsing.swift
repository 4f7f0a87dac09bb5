public import Foundation

extension ProtocolManifest {
    /// Reads and checks a `protocol.json`.
    /// - Throws: ``ManifestError`` that names the first key that is wrong.
    public static func parse(_ data: Data) throws(ManifestError) -> ProtocolManifest {
        let manifest: ProtocolManifest
        do {
            let document = try JSONDecoder().decode(JSONValue.self, from: data)
            guard let object = document.object else {
                throw ManifestError(key: "", message: "must be an object, not \(document.kind)")
            }
            try refuseUnknownKeys(object)
            manifest = try JSONDecoder().decode(ProtocolManifest.self, from: data)
        } catch let error as ManifestError {
            throw error
        } catch {
            throw ManifestError(error)
        }
        if let first = manifest.faults.first { throw first }
        return manifest
    }

    /// What the types alone do not say.
    var faults: [ManifestError] {
        var faults: [ManifestError] = []
        func check(_ holds: Bool, _ key: String, _ message: String) {
            if !holds { faults.append(ManifestError(key: key, message: message)) }
        }
        check(schema == 1, "schema", "must be 1, the only form that there is, not \(schema)")
        check(Self.isName(name), "name", "must be 1 to 32 of a-z, 0-9, - and _, starting with a letter")
        check(backend.first?.isEmpty == false, "backend", "must name the executable first")
        check(!operations.isEmpty, "operations", "must declare at least one")
        for (operation, spec) in operations.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let key = "operations.\(operation.rawValue)"
            check((1...604_800).contains(spec.timeout), "\(key).timeout", "must be 1 to 604800 seconds")
            check((1...100_000).contains(spec.batch), "\(key).batch", "must be 1 to 100000 elements")
            check((1...1000).contains(spec.concurrency), "\(key).concurrency", "must be 1 to 1000 elements")
        }
        for (key, specs) in [("options", options), ("site_options", siteOptions), ("settings", settings)] {
            faults += Self.faults(of: specs, key: key)
        }
        for (index, option) in options.enumerated() {
            guard let common = CommonOptions.specs.first(where: { $0.name == option.name }) else { continue }
            let same = option.type == common.type && (option.values ?? common.values) == common.values
            check(
                same, "options[\(index)].type", "\(option.name) is known to all protocols; only its default may differ")
        }
        return faults
    }

    private static func faults(of specs: [OptionSpec], key: String) -> [ManifestError] {
        var faults: [ManifestError] = []
        var names: Set<String> = []
        for (index, spec) in specs.enumerated() {
            let place = "\(key)[\(index)]"
            if spec.name.isEmpty || !names.insert(spec.name).inserted {
                faults.append(ManifestError(key: "\(place).name", message: "must be there, and once"))
            }
            if spec.type == .enum, spec.values?.isEmpty ?? true {
                faults.append(ManifestError(key: "\(place).values", message: "must list the values of an enum"))
            }
            if let low = spec.min, let high = spec.max, low > high {
                faults.append(ManifestError(key: "\(place).min", message: "must not be above max"))
            }
            if let value = spec.default, let problem = spec.problem(with: value) {
                faults.append(ManifestError(key: "\(place).default", message: problem))
            }
        }
        return faults
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (1...32).contains(text.utf8.count) else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return letters.contains(first)
            && text.utf8.allSatisfy {
                letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }

    /// A misspelt key would otherwise be a default that nobody asked for.
    private static func refuseUnknownKeys(_ document: [String: JSONValue]) throws(ManifestError) {
        try refuse(document, known: CodingKeys.allCases.map(\.rawValue), at: "")
        let operations = document["operations"]?.object ?? [:]
        try refuse(operations, known: ProtocolOperation.allCases.map(\.rawValue), at: "operations.")
        for (name, spec) in operations.sorted(by: { $0.key < $1.key }) {
            let known = OperationSpec.CodingKeys.allCases.map(\.rawValue)
            try refuse(spec.object ?? [:], known: known, at: "operations.\(name).")
        }
        for key in ["options", "site_options", "settings"] {
            for (index, spec) in (document[key]?.array ?? []).enumerated() {
                let known = OptionSpec.CodingKeys.allCases.map(\.rawValue)
                try refuse(spec.object ?? [:], known: known, at: "\(key)[\(index)].")
            }
        }
    }

    private static func refuse(
        _ object: [String: JSONValue], known: [String], at place: String
    ) throws(ManifestError) {
        if let key = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw ManifestError(key: place + key, message: "is not known here; known: \(known.joined(separator: ", "))")
        }
    }
}
