import Foundation
import HaulHTTP

/// Streams a list of documents: a JSON array, or NDJSON where the client asks for it.
struct JSONStream: Sendable {
    /// One document a line instead of an array.
    let isLines: Bool

    init(isLines: Bool) { self.isLines = isLines }

    init(for request: HTTPRequest) {
        isLines = Self.prefersLines(request.headers["Accept"] ?? "")
    }

    /// Whether an `Accept` (RFC 9110, 12.5.1) names NDJSON, and JSON not as something better. What it names besides does
    /// not matter: nothing is refused for it.
    private static func prefersLines(_ accept: String) -> Bool {
        var best: (lines: Double, json: Double) = (0, 0)
        for range in accept.lowercased().split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch parts.first {
            case "application/x-ndjson", "application/ndjson": best.lines = max(best.lines, quality)
            case "application/json": best.json = max(best.json, quality)
            default: break
            }
        }
        return best.lines > 0 && best.lines >= best.json
    }

    /// An answer whose documents `body` writes one after the other.
    func response(_ body: @escaping @Sendable (inout Sink) async throws -> Void) -> HTTPResponse {
        let contentType = isLines ? "application/x-ndjson" : "application/json"
        return HTTPResponse(
            headers: ["Content-Type": contentType],
            body: .stream { writer in
                var sink = Sink(writer: writer, isLines: isLines)
                try await body(&sink)
                try await sink.finish()
            })
    }

    /// An answer of the one document that `body` writes.
    static func one(_ body: @escaping @Sendable (inout Sink) async throws -> Void) -> HTTPResponse {
        HTTPResponse(
            headers: ["Content-Type": "application/json"],
            body: .stream { writer in
                var sink = Sink(writer: writer, isLines: true)
                try await body(&sink)
                try await sink.finish()
            })
    }

    /// Where the documents of a stream go. Small ones are gathered, so that a chunk carries many.
    struct Sink {
        private let writer: HTTPBodyWriter
        private let isLines: Bool
        private var buffer: [UInt8] = []
        private var count = 0

        init(writer: HTTPBodyWriter, isLines: Bool) {
            self.writer = writer
            self.isLines = isLines
        }

        /// Begins the next document; its text follows with ``write(_:)``.
        mutating func begin() {
            if !isLines {
                buffer.append(UInt8(ascii: count == 0 ? "[" : ","))
            } else if count > 0 {
                buffer.append(0x0A)
            }
            count += 1
        }

        mutating func write(_ bytes: [UInt8]) async throws {
            buffer += bytes
            if buffer.count >= 64 << 10 { try await flush() }
        }

        mutating func write(_ text: String) async throws { try await write(Array(text.utf8)) }

        mutating func finish() async throws {
            if isLines {
                if count > 0 { buffer.append(0x0A) }
            } else {
                buffer += Array((count == 0 ? "[]" : "]").utf8)
            }
            try await flush()
        }

        private mutating func flush() async throws {
            if !buffer.isEmpty { try await writer.write(buffer) }
            buffer.removeAll(keepingCapacity: true)
        }
    }
}
