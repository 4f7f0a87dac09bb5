public import HaulModel

extension LogStore {
    /// Most bytes that one `read` gives.
    public static let largestRead = 1 << 20

    /// Whether each log is there: its file exists and is long enough. Each file is looked at once.
    public func exists(_ logUID: String, _ places: [Attempt.LogPlace]) async -> [Bool] {
        var ends: [String: Int] = [:]
        for place in places { ends[place.file] = max(ends[place.file] ?? 0, Self.end(place) ?? .max) }
        let lengths = await lengths(logUID, Array(ends.keys))
        return places.map { place in
            guard let end = Self.end(place), let length = lengths[place.file] else { return false }
            return end <= length
        }
    }

    /// Whether files are there and at least so long: the cheap question about many logs, of which only the farthest end
    /// in each file matters.
    public func exists(_ logUID: String, ends: [(file: String, maxEnd: Int)]) async -> [Bool] {
        let lengths = await lengths(logUID, ends.map(\.file))
        return ends.map { end in lengths[end.file].map { end.maxEnd <= $0 } ?? false }
    }

    /// Up to `count` bytes (at most `largestRead`) of a log, from `from` bytes after its start; empty at its end.
    ///
    /// - Throws: `missing`, `io`, `invalidKey`.
    public func read(
        _ logUID: String, _ place: Attempt.LogPlace, from: Int, count: Int
    ) async throws(LogError) -> [UInt8] {
        try AttemptKey.validate(logUID: logUID)
        try AttemptKey.validate(file: place.file)
        guard let end = Self.end(place), from >= 0 else { throw .invalidKey("log place") }
        let wanted = min(max(0, count), max(0, place.length - from), Self.largestRead)
        let folders = folders
        return try await reading[logUID].run { () throws(LogError) in
            guard let file = try folders.open(logUID, place.file), try file.size() >= end else {
                throw .missing(place.file)
            }
            return wanted == 0 ? [] : try file.read(at: place.offset + from, count: wanted)
        }
    }

    private static func end(_ place: Attempt.LogPlace) -> Int? {
        guard place.offset >= 0, place.length >= 0 else { return nil }
        let (end, isOverflow) = place.offset.addingReportingOverflow(place.length)
        return isOverflow ? nil : end
    }

    private func lengths(_ logUID: String, _ files: [String]) async -> [String: Int] {
        do { try AttemptKey.validate(logUID: logUID) } catch { return [:] }
        let folders = folders
        let found = try? await reading[logUID].run { () throws(LogError) in
            var result: [String: Int] = [:]
            for file in Set(files) {
                do { try AttemptKey.validate(file: file) } catch { continue }
                result[file] = folders.length(logUID, file)
            }
            return result
        }
        return found ?? [:]
    }

    /// Bytes of a finished file that is on this server's own disk; nil where there is none.
    ///
    /// - Throws: `invalidKey`.
    public func lengthHere(ofFile file: String, job logUID: String) async throws(LogError) -> Int? {
        try AttemptKey.validate(logUID: logUID)
        try AttemptKey.validate(file: file)
        let folders = folders
        return try await reading[logUID].run { () throws(LogError) in folders.length(logUID, file) }
    }

    /// Up to `count` bytes (at most `largestRead`) of a finished file that is on this server's own disk; nil where there is
    /// none.
    ///
    /// - Throws: `io`, `invalidKey`.
    public func readHere(
        _ file: String, job logUID: String, from: Int, count: Int
    ) async throws(LogError) -> [UInt8]? {
        try AttemptKey.validate(logUID: logUID)
        try AttemptKey.validate(file: file)
        guard from >= 0 else { throw .invalidKey("offset") }
        let folders = folders
        return try await reading[logUID].run { () throws(LogError) in
            try folders.open(logUID, file)?.read(at: from, count: min(max(0, count), Self.largestRead))
        }
    }
}
