import Foundation
import Synchronization

/// One of the program's two ends of output. Writes wait on a queue of their own, since a pipe can be full for long.
final class Output: Sendable {
    /// True where a person watches.
    let isTerminal: Bool
    /// False where `NO_COLOR` says so (no-color.org), and off a terminal.
    let hasColor: Bool
    private let descriptor: Int32
    private let environment: [String: String]
    private let queue = DispatchQueue(label: "haul.output")
    private let isProgressShown = Mutex(false)

    init(descriptor: Int32, _ environment: [String: String]) {
        self.descriptor = descriptor
        self.environment = environment
        isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        hasColor = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
    }

    /// Columns: those of `COLUMNS`, else those of the terminal, else 80.
    var width: Int {
        if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return columns }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    func line(_ text: String) async { await bytes(Array((text + "\n").utf8)) }

    func text(_ text: String) async { await bytes(Array(text.utf8)) }

    /// Writes all of it, however long the reader takes. A reader that left ends the program (SIGPIPE), and so does a disk
    /// that is full: what is missing must not pass for all there was.
    func bytes(_ bytes: [UInt8]) async {
        let descriptor = descriptor
        await withCheckedContinuation { continuation in
            queue.async {
                bytes.withUnsafeBytes { buffer in
                    var sent = 0
                    while sent < buffer.count {
                        let count = write(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent)
                        if count < 0 && errno == EINTR { continue }
                        if count < 0 { return self.failed(errno) }
                        sent += count
                    }
                }
                continuation.resume()
            }
        }
    }

    private func failed(_ cause: Int32) {
        if descriptor != STDERR_FILENO {
            let line = "haul: the output cannot be written: \(String(cString: strerror(cause)))\n"
            FileHandle.standardError.write(Data(line.utf8))
        }
        exit(ExitCode.output.rawValue)
    }

    /// Redraws the one line of progress; on a terminal only.
    func progress(_ text: String) async {
        isProgressShown.withLock { $0 = true }
        await self.text("\r" + Columns.cut(text, to: max(10, width - 1)) + "\u{1B}[K")
    }

    /// Takes the line of progress away, if there is one.
    func endProgress() async {
        let wasShown = isProgressShown.withLock { shown in
            defer { shown = false }
            return shown
        }
        if wasShown { await text("\r\u{1B}[K") }
    }
}
