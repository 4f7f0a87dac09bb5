import Foundation
import HaulModel

/// Small documents that stand in text columns: options, endpoints, id lists.
enum SQLJSON {
    static func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    static func value<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// Most jobs have no options: their text needs no parser.
    static func options(_ text: String) throws -> [String: JSONValue] {
        text == "{}" ? [:] : try value([String: JSONValue].self, text)
    }

    static func options(_ value: [String: JSONValue]) throws -> String {
        value.isEmpty ? "{}" : try text(value)
    }
}
