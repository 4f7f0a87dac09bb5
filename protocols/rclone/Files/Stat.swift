import HaulModel
import HaulProtocol

/// An item as rclone's `operations/list` and `operations/stat` tell it.
struct Stat: Sendable, Hashable {
    var name: String
    var facts: FileFacts
    /// False for a file whose length is known once it was read: its size is 0 here.
    var hasSize: Bool
    /// By rclone's names: `md5`.
    var hashes: [String: String]

    init?(_ value: JSONValue) {
        guard let item = value.object, let name = item["Name"]?.string, let isDirectory = item["IsDir"]?.bool else {
            return nil
        }
        self.name = name
        let modified = item["ModTime"]?.string.flatMap { Timestamp.seconds($0) }
        let size = item["Size"]?.int ?? -1
        hasSize = isDirectory || size >= 0
        facts = FileFacts(kind: isDirectory ? .directory : .file, size: max(0, size), modified: modified)
        hashes = (item["Hashes"]?.object ?? [:]).compactMapValues(\.string)
    }

    func entry(named name: String) -> ListingEntry {
        let isDirectory = facts.kind == .directory
        return ListingEntry(
            name: name, size: isDirectory ? 0 : facts.size, mode: isDirectory ? 0o040755 : 0o100644,
            modified: max(0, facts.modified ?? 0))
    }
}

/// Times as rclone writes them: `2026-11-21T21:36:05.985120483Z`, or with `+01:00`.
enum Timestamp {
    static func seconds(_ text: String) -> Int? {
        guard let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)/),
            let year = Int(match.1), let month = Int(match.2), let day = Int(match.3), let hour = Int(match.4),
            let minute = Int(match.5), let second = Int(match.6), year > 0, (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        return days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(match.7)
    }

    private static func offset(_ zone: Substring) -> Int {
        let numbers = zone.dropFirst().split(separator: ":").compactMap { Int($0) }
        guard numbers.count == 2 else { return 0 }
        return (numbers[0] * 3600 + numbers[1] * 60) * (zone.first == "-" ? -1 : 1)
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
