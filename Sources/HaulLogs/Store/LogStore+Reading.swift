public import HaulModel

extension LogStore {
    /// Most bytes that one `read` gives.
    public static let largestRead = 1 << 20

    /// Whether each log is there: its file exists and is long enough. Each file is looked at once.
    ///
    /// - Parameter places: of logs, and the servers that took them; nil is this one.
    /// - Throws: `away` where that can't be told now.
    public func exists(
        _ logUID: String, _ places: [(place: Attempt.LogPlace, server: Int?)]
    ) async throws(LogError) -> [Bool] {
        do throws(LogError) { try AttemptKey.validate(logUID: logUID) } catch { return places.map { _ in false } }
        var servers: [String: Int] = [:]
        for (place, writer) in places { servers[place.file] = writer ?? server }
        var lengths: [String: Int] = [:]
        for (file, writer) in servers {
            do throws(LogError) { try AttemptKey.validate(file: file) } catch { continue }
            lengths[file] = try await length(file, job: logUID, server: writer)
        }
        return places.map { place, _ in
            guard let end = Self.end(place), let length = lengths[place.file] else { return false }
            return end <= length
        }
    }

    /// Up to `count` bytes (at most `largestRead`) of a log, from `from` bytes after its start; empty at its end.
    ///
    /// - Parameter writer: the server that took it; nil is this one.
    /// - Throws: `missing`, `away`, `io`, `invalidKey`.
    public func read(
        _ logUID: String, _ place: Attempt.LogPlace, server writer: Int? = nil, from: Int, count: Int
    ) async throws(LogError) -> [UInt8] {
        try AttemptKey.validate(logUID: logUID)
        try AttemptKey.validate(file: place.file)
        guard let end = Self.end(place), from >= 0 else { throw .invalidKey("log place") }
        let wanted = min(max(0, count), max(0, place.length - from), Self.largestRead)
        let found = try await read(
            place.file, job: logUID, server: writer ?? server, from: place.offset + from, count: wanted)
        guard let found, found.size >= end else { throw .missing(place.file) }
        return found.bytes
    }

    private static func end(_ place: Attempt.LogPlace) -> Int? {
        guard place.offset >= 0, place.length >= 0 else { return nil }
        let (end, isOverflow) = place.offset.addingReportingOverflow(place.length)
        return isOverflow ? nil : end
    }

    /// Bytes of a finished file, wherever it is; nil where it is nowhere.
    ///
    /// - Throws: `away` where that can't be told now.
    func length(_ file: String, job logUID: String, server writer: Int) async throws(LogError) -> Int? {
        try await find(file, job: logUID, server: writer) { () throws(LogError) in
            try await lengthHere(ofFile: file, job: logUID)
        } inBucket: { spool throws(LogError) in
            try await spool.length(logUID, file)
        } there: { elsewhere throws(LogError) in
            try await elsewhere.length(of: file, job: logUID, server: writer)
        }
    }

    /// Up to `count` bytes of a finished file, wherever it is, and how long it is; nil where it is nowhere.
    ///
    /// - Throws: `away` where that can't be told now, `io`.
    func read(
        _ file: String, job logUID: String, server writer: Int, from: Int, count: Int
    ) async throws(LogError) -> (bytes: [UInt8], size: Int)? {
        let finished = finished
        return try await find(file, job: logUID, server: writer) {
            () throws(LogError) -> (bytes: [UInt8], size: Int)? in
            try await reading[logUID].run { () throws(LogError) in
                guard let opened = try finished.open(logUID, file) else { return nil }
                return (count == 0 ? [] : try opened.read(at: from, count: count), try opened.size())
            }
        } inBucket: { spool throws(LogError) in
            try await spool.read(logUID, file, from: from, count: count)
        } there: { elsewhere throws(LogError) -> (bytes: [UInt8], size: Int)? in
            guard let size = try await elsewhere.length(of: file, job: logUID, server: writer) else { return nil }
            if count == 0 || from >= size { return ([], size) }
            let bytes = try await elsewhere.read(file, job: logUID, server: writer, from: from, count: count)
            return bytes.map { ($0, size) }
        }
    }

    /// Looks for a finished file: on this server's disk, in the bucket, with the server that wrote it - and in the bucket
    /// once more, as it may have gone there meanwhile.
    private func find<Found>(
        _ file: String, job logUID: String, server writer: Int, here: () async throws(LogError) -> Found?,
        inBucket: (Spool) async throws(LogError) -> Found?,
        there: (any LogsElsewhere) async throws(LogError) -> Found?
    ) async throws(LogError) -> Found? {
        if let found = try await here() { return found }
        var trouble: LogError?
        if let spool {
            do throws(LogError) {
                if let found = try await inBucket(spool) { return found }
            } catch {
                trouble = error
            }
        }
        if let elsewhere, writer != server {
            do throws(LogError) {
                if let found = try await there(elsewhere) { return found }
                if let spool, trouble == nil { return try await inBucket(spool) }
            } catch {
                trouble = trouble ?? error
            }
        }
        if let trouble { throw trouble }
        return nil
    }

    /// Bytes of a finished file that is on this server's own disk; nil where there is none.
    ///
    /// - Throws: `invalidKey`.
    public func lengthHere(ofFile file: String, job logUID: String) async throws(LogError) -> Int? {
        try AttemptKey.validate(logUID: logUID)
        try AttemptKey.validate(file: file)
        let finished = finished
        return try await reading[logUID].run { () throws(LogError) in finished.length(logUID, file) }
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
        let finished = finished
        return try await reading[logUID].run { () throws(LogError) in
            try finished.open(logUID, file)?.read(at: from, count: min(max(0, count), Self.largestRead))
        }
    }
}
