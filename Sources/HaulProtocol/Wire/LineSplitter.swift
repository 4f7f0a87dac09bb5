import Foundation

/// Cuts a stream of bytes into lines; holds no more than the longest line allowed and what came with it.
struct LineSplitter {
    enum Piece: Equatable {
        /// A line without its newline.
        case line(Data)
        /// A line that is past the limit; what of it has come. The stream is of no more use.
        case tooLong(Data)
    }

    private let limit: Int
    private var buffer = Data()
    /// Where the current line starts, and how far it was searched for its end.
    private var start = 0
    private var searched = 0

    init(limit: Int) { self.limit = limit }

    mutating func add(_ data: Data) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        buffer.append(data)
    }

    mutating func next() -> Piece? {
        let newline = buffer.withUnsafeBytes { bytes -> Int? in
            guard searched < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + searched, Int32(UInt8(ascii: "\n")), bytes.count - searched)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
        if let newline {
            let line = Data(buffer[start..<newline])
            start = newline + 1
            searched = start
            return line.count > limit ? .tooLong(line) : .line(line)
        }
        searched = buffer.count
        return buffer.count - start > limit ? .tooLong(Data(buffer[start...])) : nil
    }

    /// What came after the last newline.
    var rest: Data { Data(buffer[start...]) }
}
