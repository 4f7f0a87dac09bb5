import CFiles
import Foundation

/// Bytes that wait to be written into a pipe: in memory, or still where they come from.
struct PipePiece {
    enum Content {
        case bytes(Data)
        /// What moves within the kernel: from a pipe or a socket that has so many bytes, or from a place in a file.
        case elsewhere(Descriptor, offset: Int?, count: Int)
    }

    /// Pieces that nobody waits for go together up to so many bytes: one write, and one wakeup of who reads, for many.
    private static let together = 1 << 17

    private(set) var content: Content
    private(set) var moved = 0
    /// Told what became of it.
    let done: (@Sendable (PipeMove) -> Void)?

    init(_ content: Content, done: (@Sendable (PipeMove) -> Void)? = nil) {
        self.content = content
        self.done = done
    }

    enum Progress {
        case all
        /// There may be room for more.
        case some
        /// There is no more room for now.
        case full
        /// What it comes from has ended, or cannot be moved from: with `errno`.
        case stopped(Int32)
        /// Nobody reads it any more.
        case refused
    }

    /// Writes as much as there is room for. Calls that do not wait.
    mutating func write(to descriptor: Int32) -> Progress {
        let count: Int
        let left: Int
        switch content {
        case .bytes(let data):
            count = data.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 { return [EAGAIN, EINTR].contains(errno) ? .full : .refused }
            left = data.count - count
            content = .bytes(data.dropFirst(count))
        case .elsewhere(let source, let offset, let wanted):
            count = wanted > 0 ? haul_splice(source.raw, offset.map { Int64($0) } ?? -1, descriptor, wanted) : 0
            if count < 0 {
                let code = errno
                if [EAGAIN, EINTR].contains(code) { return .full }
                return [EPIPE, ECONNRESET].contains(code) ? .refused : .stopped(code)
            }
            if count == 0, wanted > 0 { return .stopped(0) }
            moved += count
            left = wanted - count
            content = .elsewhere(source, offset: offset.map { $0 + count }, count: left)
            if left > 0 { return .some }
        }
        return left > 0 ? .full : .all
    }

    /// Takes a later one in, so that both leave with one write.
    mutating func join(_ other: PipePiece) -> Bool {
        // Not to what was written in part: what is through would stay in memory with it.
        guard done == nil, other.done == nil, case .bytes(var data) = content, case .bytes(let more) = other.content,
            data.startIndex == 0, data.count + more.count <= Self.together
        else { return false }
        content = .bytes(Data())
        data.append(more)
        content = .bytes(data)
        return true
    }
}

/// What became of bytes that were to move into a pipe from elsewhere.
public enum PipeMove: Sendable, Hashable {
    case all
    /// The other side does not read any more.
    case refused
    /// They ended after so many, or the kernel cannot move from there to here: its `errno`.
    case stopped(Int, code: Int32)
}
