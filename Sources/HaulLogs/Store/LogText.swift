/// The form of a log's text.
enum LogText {
    /// The line at the end of a log of which not all was kept.
    static let cutMark = Array("\n=== haul: the log is longer than this server keeps; the rest was dropped\n".utf8)

    /// A text no longer than `limit`, with a line that says so where it was cut.
    static func cut(_ text: [UInt8], to limit: Int) -> ArraySlice<UInt8> {
        text.count <= limit ? text[...] : (text.prefix(limit) + cutMark)[...]
    }
}
