import Foundation
import HaulModel
import HaulProtocol

/// What `stat` of xrdfs says of a path.
struct Stat: Sendable, Hashable {
    var facts: FileFacts
    /// The same for all names of one file at a server; nil where the server says none.
    var identity: String?

    private static let directory = 2
    private static let other = 4

    /// - Parameter lines: `Size:   6`, `Flags:  48 (IsReadable|IsWritable)` ...
    /// - Throws: ``BackendFailure`` where what tells a file from a directory is missing.
    init(_ lines: [String], of path: String) throws {
        var fields: [Substring: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, fields[parts[0]] == nil else { continue }
            fields[parts[0]] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard let size = fields["Size"].flatMap({ Int($0) }), size >= 0,
            let flags = fields["Flags"].flatMap({ Int($0.prefix { $0.isNumber }) })
        else { throw BackendFailure(.invalid, "xrdfs tells of \(path) what cannot be understood") }
        let isDirectory = flags & Self.directory != 0
        facts = FileFacts(
            kind: isDirectory ? .directory : flags & Self.other != 0 ? .other : .file, size: size,
            modified: fields["MTime"].flatMap { Timestamp.seconds($0) },
            permissions: fields["Mode"].flatMap { Int($0, radix: 8) }.map { $0 & 0o777 })
        identity = fields["Id"].flatMap { $0 == "0" ? nil : $0 }
    }

    /// As an entry of a listing.
    func entry(named name: String) -> ListingEntry {
        let type =
            switch facts.kind {
            case .directory: 0o040000
            case .other: 0o010000
            default: 0o100000
            }
        let usual = facts.kind == .directory ? 0o755 : 0o644
        return ListingEntry(
            name: name, size: facts.size, mode: type | (facts.permissions ?? usual), modified: facts.modified ?? 0)
    }
}

/// Times as XRootD's tools print them: `2026-11-21 21:00:55`, UTC.
enum Timestamp {
    static func seconds(_ text: some StringProtocol) -> Int? {
        let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count == 6, (1...9999).contains(numbers[0]), (1...12).contains(numbers[1]),
            (1...31).contains(numbers[2]), numbers[3...].allSatisfy({ $0 < 100 })
        else { return nil }
        return days(numbers[0], numbers[1], numbers[2]) * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
    }

    /// Days from 1970-01-01 to a day of the Gregorian calendar, whose years begin in March here, so that the leap day
    /// is a year's last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
