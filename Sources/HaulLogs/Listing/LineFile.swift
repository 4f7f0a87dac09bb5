/// The lines of a file, piece by piece, so that memory does not follow its size.
struct LineFile {
    struct Piece {
        var lines: [ArraySlice<UInt8>]
        /// Of the line after these.
        var offset: Int
        var isEnd: Bool
    }

    let file: OpenFile
    /// Bytes that a line may have.
    let longest: Int

    /// Up to `limit` lines from `offset` on. A last line without its newline counts.
    ///
    /// - Throws: `.tooLarge` for a line that is longer than allowed.
    func next(from offset: Int, limit: Int) throws(LogError) -> Piece {
        let window = max(longest + 1, 256 << 10)
        let bytes = try file.read(at: offset, count: window)
        let isWhole = bytes.count < window
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while lines.count < limit, start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? (isWhole ? bytes.count : nil)
            guard let end else { break }
            // What came before it is handed out first.
            if end - start > longest { break }
            if end > start { lines.append(bytes[start..<end]) }
            start = end + 1
        }
        if lines.isEmpty, start == 0, !bytes.isEmpty { throw .tooLarge(limit: longest) }
        let consumed = min(start, bytes.count)
        return Piece(lines: lines, offset: offset + consumed, isEnd: isWhole && consumed == bytes.count)
    }
}
