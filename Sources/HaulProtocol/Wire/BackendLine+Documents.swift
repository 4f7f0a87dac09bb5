import HaulModel

// The JSON documents of a backend's lines, key by key; what they hold is checked where it becomes a value of ours.
extension BackendLine {
    struct Head: Decodable { var type: String }

    struct Log: Codable {
        var type: String
        var id: String
        var text: String
    }

    struct Progress: Codable {
        var type = "progress"
        var id: String
        var transferred: Int
        var total: Int?
        var elapsed: Double?
        var instant: Double?
        var average: Double?

        init(id: String, _ progress: TransferProgress) {
            self.id = id
            transferred = progress.transferred
            total = progress.total
            elapsed = Self.finite(progress.elapsed)
            instant = Self.finite(progress.instant)
            average = Self.finite(progress.average)
        }

        func value() throws(WireError) -> TransferProgress {
            guard transferred >= 0, total ?? 0 >= 0 else { throw WireError("counts below zero") }
            return TransferProgress(
                transferred: transferred, total: total, elapsed: max(0, elapsed ?? 0), instant: max(0, instant ?? 0),
                average: max(0, average ?? 0))
        }

        /// JSON has no infinity, and a rate over no time is one.
        private static func finite(_ value: Double) -> Double { value.isFinite ? (value * 1000).rounded() / 1000 : 0 }
    }

    struct Entries: Codable {
        var type: String
        var id: String
        var directory: String
        var entries: [Entry]
    }

    struct Entry: Codable {
        var name: String
        var st_size: Int?
        var st_mode: Int?
        var st_mtime: Double?

        init(_ entry: ListingEntry) {
            name = entry.name
            st_size = entry.size
            st_mode = entry.mode
            st_mtime = Double(entry.modified)
        }

        /// A name with a slash, or `..`, would lead an expansion out of the directory that was listed; one with a control
        /// character would make an element that no job may name. `.` stands for `/` and `~` themselves.
        func value() throws(WireError) -> ListingEntry {
            if name != ".", let why = EntryName.problem(name) {
                throw WireError("holds an entry whose name \(why)")
            }
            let modified = st_mtime.flatMap { Int(exactly: $0.rounded(.down)) } ?? 0
            return ListingEntry(name: name, size: max(0, st_size ?? 0), mode: st_mode ?? 0o100644, modified: modified)
        }
    }

    struct Result: Codable {
        var type = "result"
        var id: String
        var outcome: String
        var `class`: String?
        var reason: String?
        var returncode: Int?
        var transferred: Int?
        var checksum: String?

        init(id: String, _ result: ElementResult) {
            self.id = id
            outcome = result.isOK ? "ok" : "failed"
            self.class = result.errorClass?.rawValue
            reason = result.reason
            returncode = result.returncode
            transferred = result.transferred
            checksum = result.checksum
        }

        func value() throws(WireError) -> ElementResult {
            var failure: ErrorClass?
            switch outcome {
            case "ok": failure = nil
            case "failed":
                // A class of a later version is still a failure that may be tried again.
                failure = self.class.map { ErrorClass(rawValue: $0) ?? .unknown } ?? .unknown
            default: throw WireError("has an outcome that is neither ok nor failed")
            }
            return ElementResult(
                errorClass: failure, reason: reason?.prefix(bytes: 4096),
                returncode: returncode ?? (failure == nil ? 0 : 1), transferred: max(0, transferred ?? 0),
                checksum: checksum?.prefix(bytes: 256))
        }
    }
}
