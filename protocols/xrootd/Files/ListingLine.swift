import Foundation
import HaulModel
import HaulProtocol

/// A line of `ls -l` of xrdfs. Two forms are in use, by what the server tells:
///
///     drwxr-xr-x nobody nogroup 4096 2026-11-21 21:00:55 /a/b
///     dr-x 2026-11-21 21:00:55       4096 /a/b
enum ListingLine {
    /// - Parameter directory: What is listed; every entry's path starts with its.
    /// - Throws: ``BackendFailure`` (`invalid`) for a name that no job can name, and a line that is none.
    static func entry(_ line: Data, in directory: RemotePath, shown: String) throws -> ListingEntry {
        guard let start = line.range(of: Data(" \(directory.prefix)".utf8)) else { throw strange(line, shown) }
        let words = String(decoding: line[..<start.lowerBound], as: UTF8.self).split(separator: " ")
        guard let permissions = words.first, words.count >= 4 else { throw strange(line, shown) }
        let isLong = permissions.utf8.count == 10 && words.count >= 6
        let time = isLong ? words.suffix(2) : words[1...2]
        let size = isLong ? words[words.count - 3] : words[3]
        guard let size = Int(size), size >= 0, let modified = Timestamp.seconds(time.joined(separator: " ")),
            isLong || permissions.utf8.count == 4, permissions.utf8.first.map({ "d-".utf8.contains($0) }) == true
        else { throw strange(line, shown) }
        let name = try EntryName.text(line[start.upperBound...], in: shown)
        let type = permissions.first == "d" ? 0o040000 : 0o100000
        return ListingEntry(name: name, size: size, mode: type | mode(permissions.dropFirst()), modified: modified)
    }

    /// `rwxr-x---` as a number; of the short form, which tells the caller's own rights, the owner's.
    private static func mode(_ letters: Substring) -> Int {
        let bits = letters.utf8.reduce(0) { $0 << 1 | ($1 == UInt8(ascii: "-") ? 0 : 1) }
        return letters.utf8.count == 9 ? bits : bits << 6
    }

    private static func strange(_ line: Data, _ shown: String) -> BackendFailure {
        BackendFailure(
            .invalid,
            "the listing of \(shown) holds what no line of xrdfs is: \"\(EntryName.escaped(line.prefix(200)))\"")
    }
}
