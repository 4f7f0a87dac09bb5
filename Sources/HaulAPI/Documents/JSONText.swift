import Foundation
import HaulHTTP
import HaulModel
import HaulWire

/// Documents as the bytes of an answer.
enum JSONText {
    static func bytes(_ document: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        // What can't be encoded is a number that is none: our documents have only numbers that JSON has.
        return (try? encoder.encode(document)).map(Array.init) ?? Array("null".utf8)
    }

    /// The same of a document that writes itself.
    static func bytes(writing document: some JSONWritable, capacity: Int = 1024) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        document.write(to: &writer)
        return writer.bytes
    }

    static func response(
        writing document: some JSONWritable, status: Int = 200, capacity: Int = 1024
    ) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "application/json"],
            body: .bytes(bytes(writing: document, capacity: capacity)))
    }

    static func response(_ document: some Encodable, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(bytes(document)))
    }

    /// A value as a form or a command line has it: a text is itself, anything else as in JSON.
    static func plain(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .int(let number): "\(number)"
        default: String(decoding: bytes(value), as: UTF8.self)
        }
    }

    /// The value that a request's body is.
    ///
    /// - Parameters:
    ///   - more: a hint for who sent none.
    ///   - most: values that it may have.
    static func value(_ body: [UInt8], more: String = "", most: Int = .max) throws -> JSONValue {
        do { return try JSONReader.value(body, most: most) } catch { throw Problem.syntax(error, more: more) }
    }

    /// The object that a request's body is.
    static func object(_ body: [UInt8], most: Int = .max) throws -> [String: JSONValue] {
        let value = try value(body, most: most)
        guard let object = value.object else {
            throw Problem.noObject("The body is \(value.kind), not an object.")
        }
        return object
    }

    /// The same, its values as they were written.
    ///
    /// - Parameter most: values that there may be, in it and in what stands in it.
    static func members(_ body: [UInt8], most: Int) throws -> JSONMembers {
        let members: JSONMembers?
        do { members = try JSONMembers(body, most: most) } catch { throw Problem.syntax(error, more: "") }
        guard let members else { throw Problem.noObject("The body is no object.") }
        return members
    }

    /// The values that the lines of an NDJSON body are; blank lines are passed over.
    static func lines(_ body: [UInt8]) throws -> [JSONValue] {
        var values: [JSONValue] = []
        for (number, line) in body.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            do { values.append(try JSONReader.value(Array(line))) } catch {
                throw Problem.syntax(
                    JSONSyntaxError(line: number + 1, column: error.column, message: error.message))
            }
        }
        return values
    }
}
