import Foundation

/// What `swift package dump-package` prints, as far as it is of interest here.
struct PackageDescription: Decodable {
    struct Target: Decodable {
        var name: String
        var type: String
        var path: String?
        var dependencies: [Dependency]

        /// Where its sources stand.
        var folder: String { path ?? (type == "test" ? "Tests/" : "Sources/") + name }
        var isTest: Bool { type == "test" || folder.hasPrefix("Tests/") }
    }

    /// `{"byName": [NAME, null]}`, or the same under another key.
    struct Dependency: Decodable {
        var name: String

        init(from decoder: any Decoder) throws {
            let kinds = try decoder.singleValueContainer().decode([String: [Part]].self)
            guard let name = kinds.values.first?.first?.text else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no name"))
            }
            self.name = name
        }
    }

    /// The name, or something that goes with it.
    private struct Part: Decodable {
        var text: String?

        init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
    }

    var targets: [Target]
}
