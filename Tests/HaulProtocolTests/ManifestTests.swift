import Foundation
import HaulModel
import Support
import Testing

struct ManifestTests {
    static func parse(_ text: String) throws -> ProtocolManifest { try ProtocolManifest.parse(Data(text.utf8)) }

    static func file(_ change: (inout [String: JSONValue]) -> Void) throws -> Data {
        var document: [String: JSONValue] = [
            "schema": 1, "name": "x", "backend": ["b"], "operations": ["list": [:]],
        ]
        change(&document)
        return try JSONEncoder().encode(document)
    }

    @Test func ours() throws {
        for name in ["local", "fake"] {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(Built.repository)/protocols/\(name)/protocol.json"))
            let manifest = try ProtocolManifest.parse(data)
            #expect(manifest.name == name)
            #expect(Set(manifest.operations.keys) == Set(ProtocolOperation.allCases))
            let again = try JSONDecoder().decode(ProtocolManifest.self, from: JSONEncoder().encode(manifest))
            #expect(again == manifest)
        }
    }

    @Test(arguments: [
        ("{", "is not a JSON document"), ("[]", "must be an object"), ("{}", "schema: is missing"),
        (#"{"schema":1,"name":"x","backend":"b","operations":{"list":{}}}"#, "backend: must be a list"),
        (
            #"{"schema":1,"name":"x","backend":["b"],"operations":{"list":{"timeout":"1"}}}"#,
            "operations.list.timeout: must be an integer"
        ),
        (
            #"{"schema":1,"name":"x","backend":["b"],"operations":{"list":{"timeuot":1}}}"#,
            "operations.list.timeuot: is not known"
        ),
        (#"{"schema":1,"name":"x","backend":["b"],"operations":{"fly":{}}}"#, "operations.fly: is not known"),
        (#"{"schema":1,"name":"X!","backend":["b"],"operations":{"list":{}}}"#, "name: must be"),
        (#"{"schema":1,"name":"x","backend":[],"operations":{"list":{}}}"#, "backend: must name"),
        (#"{"schema":1,"name":"x","backend":["b"],"operations":{}}"#, "operations: must declare"),
        (#"{"schema":2,"name":"x","backend":["b"],"operations":{"list":{}}}"#, "schema: must be 1"),
        (
            #"{"schema":1,"name":"x","backend":["b"],"operations":{"list":{}},"options":[{"name":"a","type":"float"}]}"#,
            "options[0].type"
        ),
        (
            #"{"schema":1,"name":"x","backend":["b"],"operations":{"list":{}},"options":[{"name":"a","type":"enum"}]}"#,
            "options[0].values"
        ),
        (
            #"{"schema":1,"name":"x","backend":["b"],"operations":{"list":{}},"settings":[{"name":"a","type":"int","default":"1"}]}"#,
            "settings[0].default"
        ),
        (
            #"{"schema":1,"name":"x","backend":["b"],"operations":{"list":{}},"options":[{"name":"depth","type":"string"}]}"#,
            "options[0].type: depth"
        ),
    ])
    func namesTheKey(_ text: String, _ expected: String) {
        let error = #expect(throws: ManifestError.self) { try Self.parse(text) }
        #expect(error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
    }

    @Test func optionsAreChecked() throws {
        let manifest = try ProtocolManifest.parse(
            Self.file {
                $0["options"] = [
                    ["name": "port", "type": "int", "min": 1, "max": 9, "default": 5],
                    [
                        "name": "overwrite", "type": "enum", "values": ["never", "different", "always"],
                        "default": "always",
                    ],
                ]
            })
        let problems = manifest.problems(in: [
            "port": 10, "depth": -1, "parents": "yes", "overwrite": "maybe", "verify": .null, "mystery": 1,
        ])
        #expect(problems.map(\.key) == ["depth", "overwrite", "parents", "port"])
        #expect(manifest.unknownOptions(in: ["port": 10, "mystery": 1]) == ["mystery"])
        let merged = manifest.merged(["mystery": 1, "parents": .null])
        #expect(merged["port"] == 5 && merged["overwrite"] == "always" && merged["parents"] == true)
        #expect(merged["mystery"] == 1 && merged["depth"] == nil)
        #expect(CommonOptions(merged) == CommonOptions(overwrite: .always))
        let wrong = manifest.problems(in: [
            "sync": 1, "checksum_algorithm": "crc32", "bandwidth": 1023, "streams": 65,
        ])
        #expect(Set(wrong.map(\.key)) == ["sync", "checksum_algorithm", "bandwidth", "streams"])
        let given = CommonOptions([
            "sync": true, "checksum_algorithm": "adler32", "bandwidth": 1024, "streams": 64,
        ])
        #expect(given == CommonOptions(sync: true, checksumAlgorithm: .adler32, bandwidth: 1024, streams: 64))
    }

    @Test func theSchemaKnowsTheSameKeys() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(Built.repository)/protocols/protocol.schema.json"))
        let schema = try #require(try JSONDecoder().decode(JSONValue.self, from: data).object)
        let full = try ProtocolManifest.parse(
            Self.file {
                $0["operations"] = .object(
                    Dictionary(ProtocolOperation.allCases.map { ($0.rawValue, [:]) }) { one, _ in one })
                $0["options"] = [["name": "a", "type": "enum", "values": ["b"], "min": 1, "max": 1, "default": "b"]]
            })
        let written = try #require(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(full)).object)
        func keys(_ value: JSONValue?) -> Set<String> { Set((value?.object ?? [:]).keys) }
        #expect(keys(schema["properties"]) == keys(.object(written)))
        #expect(keys(schema["properties"]?.object?["operations"]?.object?["properties"]) == keys(written["operations"]))
        let defs = schema["$defs"]?.object
        #expect(keys(defs?["operation"]?.object?["properties"]) == keys(written["operations"]?.object?["list"]))
        #expect(keys(defs?["option"]?.object?["properties"]) == keys(written["options"]?.array?.first))
    }
}
