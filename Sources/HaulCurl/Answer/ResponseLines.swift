import Foundation
import HaulProtocol

/// Standard error of a curl process: the result lines, as each request ends, and whatever else it says.
struct ResponseLines {
    /// A hostile header makes a long line, never an endless one.
    private static let longest = 1 << 20

    private let reader: PipeReader
    private var buffer = Data()
    private var ended = false
    /// The last thing that was no result line.
    private(set) var complaint = ""

    init(_ reader: PipeReader) { self.reader = reader }

    /// The next result; nil once curl has closed its standard error.
    mutating func next() async -> (tag: String, response: HTTPResponse)? {
        while true {
            while let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<newline], as: UTF8.self)
                buffer = Data(buffer[(newline + 1)...])
                if let parsed = HTTPResponse.parse(line) { return parsed }
                complaint = String(line.prefix(300))
            }
            guard !ended, buffer.count <= Self.longest, let more = await reader.read() else {
                ended = true
                return nil
            }
            buffer.append(more)
        }
    }
}
