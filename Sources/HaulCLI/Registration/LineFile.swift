import Foundation

/// Reads a file or standard input (`-`) line by line, on a queue of its own.
final class LineFile: Sendable {
    /// Bytes of one line.
    private static let limit = 1 << 20

    // Used on the queue alone.
    nonisolated(unsafe) private var waiting: [UInt8] = []
    nonisolated(unsafe) private var start = 0
    nonisolated(unsafe) private var isAtEnd = false
    private let queue = DispatchQueue(label: "haul.lines")
    private let descriptor: Int32

    init(_ path: String) throws(CLIError) {
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .usage("\(path) cannot be read: \(String(cString: strerror(errno)))") }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// The next line without its end; nil after the last.
    func next() async throws -> String? {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.line() }) }
        }
    }

    private func line() throws -> String? {
        while true {
            if let end = waiting[start...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return try Self.text(waiting[start..<end])
            }
            if isAtEnd {
                guard start < waiting.count else { return nil }
                defer { start = waiting.count }
                return try Self.text(waiting[start...])
            }
            waiting.removeFirst(start)
            start = 0
            guard waiting.count <= Self.limit else { throw CLIError.usage("a line of more than \(Self.limit) bytes") }
            var piece = [UInt8](repeating: 0, count: 64 << 10)
            let count = read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CLIError.usage("cannot read: \(String(cString: strerror(errno)))") }
            if count == 0 { isAtEnd = true } else { waiting += piece[..<count] }
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: bytes.last == 0x0D ? bytes.dropLast() : bytes, as: UTF8.self) else {
            throw CLIError.usage("a line is not UTF-8")
        }
        return text
    }
}
