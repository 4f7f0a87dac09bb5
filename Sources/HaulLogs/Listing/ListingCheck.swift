import HaulModel
import Synchronization

/// Reads a listing once, piece after piece, and finds its first fault. Of its directories it keeps 8 bytes each (16 with
/// the set's slack): what was seen has to be known, as all lines of a directory stand together.
final class ListingCheck: Sendable {
    /// Bytes of one step.
    private static let step = 4 << 20

    private struct State {
        var offset = 0
        var line = 0
        var entries = 0
        var directories: Set<Int> = []
        var first: String?
        var current: String?
    }

    private let state = Mutex(State())
    private let longestLine: Int

    init(longestLine: Int) { self.longestLine = longestLine }

    /// Goes on with the next piece; the summary when all of the file is read.
    func advance(_ file: OpenFile) throws(LogError) -> ListingSummary? {
        var state = state.withLock { state in
            // Taken out, so that the set is not copied.
            let taken = state
            state = State()
            return taken
        }
        let summary = try advance(&state, file)
        self.state.withLock { $0 = state }
        return summary
    }

    private func advance(_ state: inout State, _ file: OpenFile) throws(LogError) -> ListingSummary? {
        let bytes = try file.read(at: state.offset, count: max(Self.step, longestLine + 1))
        if bytes.isEmpty {
            guard state.line > 0 else { throw .invalidListing(line: 1, why: "is missing") }
            return ListingSummary(bytes: state.offset, entries: state.entries, directories: state.directories.count)
        }
        var start = 0
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            state.line += 1
            guard end - start <= longestLine else { throw tooLong(state.line) }
            if let why = Self.problem(bytes[start..<end], &state) {
                throw .invalidListing(line: state.line, why: why)
            }
            start = end + 1
        }
        if bytes.count - start > longestLine { throw tooLong(state.line + 1) }
        // The last line may go on in the next piece, unless the file ends here.
        if start == 0 { throw .invalidListing(line: state.line + 1, why: "is not complete") }
        state.offset += start
        return nil
    }

    private func tooLong(_ line: Int) -> LogError {
        .invalidListing(line: line, why: "is longer than \(longestLine) bytes")
    }

    private static func problem(_ bytes: ArraySlice<UInt8>, _ state: inout State) -> String? {
        guard let line = ListingLineCodec.decode(bytes) else {
            return "is no object with `dir`, `name`, `st_size`, `st_mode`, `st_mtime`"
        }
        if let entry = line.entry {
            guard TransferPath.isName(entry.name) else { return "has a `name` that is no name of a directory entry" }
            state.entries += 1
        }
        if let current = state.current, TransferPath.same(current, line.directory) { return nil }
        if let why = directoryProblem(line.directory, first: state.first) { return why }
        var hasher = Hasher()
        for byte in line.directory.utf8 { hasher.combine(byte) }
        guard state.directories.insert(hasher.finalize()).inserted else {
            return "goes back to a directory whose lines had ended"
        }
        state.first = state.first ?? line.directory
        state.current = line.directory
        return nil
    }

    /// The first directory is the listing's top; the others are below it, with nothing that could lead out again.
    private static func directoryProblem(_ path: String, first: String?) -> String? {
        if path.isEmpty { return "has an empty `dir`" }
        if path.utf8.contains(0) { return "has a `dir` with a null character" }
        if path.utf8.count > TransferPath.maximumLength {
            return "has a `dir` longer than \(TransferPath.maximumLength) bytes"
        }
        guard let first else { return nil }
        guard let below = TransferPath.relative(path, to: first) else {
            return "has a `dir` that is not below the listing's first"
        }
        let parts = below.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ TransferPath.isName(String(Substring($0))) }) else {
            return "has a `dir` with an empty, `.` or `..` component"
        }
        return nil
    }
}
