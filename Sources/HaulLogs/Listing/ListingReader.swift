public import HaulModel

/// Reads a listing in pieces, from any line that an earlier piece ended at.
public struct ListingReader: Sendable {
    let logs: LogStore
    let key: AttemptKey
    /// The server that took it.
    let server: Int
    let longestLine: Int
    /// Bytes of one piece.
    private static let piece = 256 << 10

    /// Up to `limit` lines, beginning `offset` bytes from the listing's start.
    ///
    /// - Returns: the lines, the offset of the next one, and whether there is none.
    /// - Throws: `missing`, `away`, `io`, `invalidKey`; `invalidListing` for a line that `LogStore.finishListing` would refuse;
    ///   its number counts from the piece's start.
    public func next(
        from offset: Int, limit: Int
    ) async throws(LogError) -> (lines: [ListingLine], offset: Int, isEnd: Bool) {
        try key.validate()
        guard offset >= 0 else { throw .invalidKey("offset") }
        let name = logs.listingName(key, server: server)
        let found = try await logs.read(
            name, job: key.logUID, server: server, from: offset, count: max(Self.piece, longestLine + 1))
        guard let (bytes, size) = found else { throw .missing(name) }
        // Off the cooperative pool: a piece may have thousands of lines.
        return try await logs.reading[key.logUID].run { () throws(LogError) in
            let found = try LineFile.lines(bytes, from: offset, limit: limit)
            var lines: [ListingLine] = []
            lines.reserveCapacity(found.lines.count)
            for bytes in found.lines {
                guard let line = ListingLineCodec.decode(bytes) else {
                    throw .invalidListing(line: lines.count + 1, why: "is no line of a listing")
                }
                lines.append(line)
            }
            return (lines, found.offset, found.offset >= size)
        }
    }
}

/// Whole lines of a file, a piece at a time.
enum LineFile {
    /// Up to `limit` lines of the `count` bytes from `offset`, and where the next one begins.
    ///
    /// - Throws: `invalidListing` where not even one line is complete.
    static func lines(
        _ file: OpenFile, from offset: Int, count: Int, limit: Int
    ) throws(LogError) -> (lines: [ArraySlice<UInt8>], offset: Int) {
        try lines(file.read(at: offset, count: count), from: offset, limit: limit)
    }

    /// The same of bytes that begin at `offset`.
    static func lines(
        _ bytes: [UInt8], from offset: Int, limit: Int
    ) throws(LogError) -> (lines: [ArraySlice<UInt8>], offset: Int) {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while lines.count < max(1, limit), let end = bytes[start...].firstIndex(of: 0x0A) {
            lines.append(bytes[start..<end])
            start = end + 1
        }
        if lines.isEmpty && !bytes.isEmpty { throw .invalidListing(line: 1, why: "is not complete") }
        return (lines, offset + start)
    }
}
