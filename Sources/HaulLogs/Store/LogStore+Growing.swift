import Glibc
public import HaulModel

extension LogStore {
    private func pieces(_ key: AttemptKey) -> PieceFile {
        PieceFile(
            folders: folders, logUID: key.logUID, name: key.logName, limit: limits.log,
            cutMark: LogHeader.cutMark(limit: limits.log))
    }

    /// Adds a piece to the log of a running attempt. A piece that is there already, whole or in part, is accepted.
    /// It survives this process; a machine that loses power may lose it, and then tells its sender where to go on.
    ///
    /// What is past `LogLimits.log` is dropped, and the log says so: a chatty tool fails no transfer.
    ///
    /// - Parameter offset: bytes from the log's start.
    /// - Returns: bytes that need not be sent again.
    /// - Throws: `wrongOffset`, `full`, `io`, `invalidKey`.
    public func appendGrowing(_ key: AttemptKey, offset: Int, bytes: [UInt8]) async throws(LogError) -> Int {
        try key.validate()
        return try await accept(bytes, at: offset, into: pieces(key))
    }

    /// Takes a piece, within the spool's bound where there is one.
    func accept(_ bytes: [UInt8], at offset: Int, into pieces: PieceFile) async throws(LogError) -> Int {
        let space = spool?.space
        return try await growing[pieces.logUID].run { () throws(LogError) in
            guard let space else { return try pieces.accept(bytes, at: offset) }
            let before = pieces.folders.length(pieces.logUID, pieces.name) ?? 0
            try space.reserve(bytes.count)
            defer {
                let after = pieces.folders.length(pieces.logUID, pieces.name) ?? 0
                space.release(bytes.count - min(bytes.count, after - before))
            }
            return try pieces.accept(bytes, at: offset)
        }
    }

    /// The attempts of these that sent something of their logs.
    public func growing(_ keys: [AttemptKey]) async -> Set<AttemptKey> {
        let folders = folders
        let valid = keys.filter { (try? $0.validate()) != nil }
        // In order with what is being written: each job's on its queue, those of a queue together.
        var found: Set<AttemptKey> = []
        for (queue, keys) in growing.grouped(valid, by: \.logUID) {
            let some = try? await queue.run { () throws(LogError) in
                keys.filter { folders.length($0.logUID, $0.logName) != nil }
            }
            found.formUnion(some ?? [])
        }
        return found
    }

    /// Bytes that a running attempt sent of its log.
    public func growingLength(_ key: AttemptKey) async -> Int {
        let folders = folders
        guard (try? key.validate()) != nil else { return 0 }
        let length = try? await reading[key.logUID].run { () throws(LogError) in
            folders.length(key.logUID, key.logName)
        }
        return (length ?? nil) ?? 0
    }

    /// Up to `count` bytes of what a running attempt sent of its log; empty where there is no more.
    ///
    /// - Throws: `io`, `invalidKey`.
    public func readGrowing(_ key: AttemptKey, from: Int, count: Int) async throws(LogError) -> [UInt8] {
        try key.validate()
        guard from >= 0 else { throw .invalidKey("offset") }
        let folders = folders
        return try await reading[key.logUID].run { () throws(LogError) in
            try folders.open(key.logUID, key.logName)?.read(at: from, count: min(count, Self.largestRead)) ?? []
        }
    }

    /// Ends the log of an attempt. One of up to `LogLimits.ownFile` bytes is copied to the job's numbered file, a longer
    /// one stays in its own. `releaseGrowing` drops the copy's original, once the place is recorded: until then a crash
    /// can be followed by the same call again.
    ///
    /// - Parameter extra: what the report adds to the pieces.
    /// - Returns: where the log is, durable.
    /// - Throws: as `append`.
    public func finishGrowing(
        _ key: AttemptKey, worker: String, time: Timestamp, extra: [UInt8]
    ) async throws(LogError) -> Attempt.LogPlace {
        try key.validate()
        let (folders, limits, spool) = (folders, limits, spool)
        let content = try await growing[key.logUID].run { () throws(LogError) -> LogRecord.Content in
            guard let file = try folders.openToWrite(key.logUID, key.logName) else { return .text(extra) }
            let size = try file.size()
            if size + extra.count <= limits.ownFile { return .text(try file.read(at: 0, count: size) + extra) }
            let rest = LogHeader.cut(extra, to: limits.ownFile)
            try file.writeWhole(rest[...], at: size)
            let place = Attempt.LogPlace(file: key.logName, offset: 0, length: size + rest.count)
            guard let spool else {
                try folders.makeDurable(file, key.logUID, key.logName)
                return .elsewhere(place)
            }
            // Another name each time: what went to the bucket before is never another thing.
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            let name = "\(folders.own(key.stem))-\(digits).log"
            try spool.finish(file, key.logUID, folders.path(key.logUID, key.logName), as: name)
            return .elsewhere(Attempt.LogPlace(file: name, offset: 0, length: place.length))
        }
        let places = try await appender.append([LogRecord(key: key, worker: worker, time: time, content: content)])
        guard let place = places.first else { throw .io("no place for a log") }
        return place
    }

    /// Drops the growing file of an attempt whose log is recorded at `place`; a log that still lives there stays.
    /// To be called after the place is committed. Forgetting to costs the space until the job is removed.
    public func releaseGrowing(_ key: AttemptKey, recordedAt place: Attempt.LogPlace) async {
        do { try key.validate() } catch { return }
        guard spool != nil || place.file != key.logName else { return }
        await drop(key, key.logName)
    }

    /// Drops the growing file of a listing whose attempt's end is committed, where it has gone to a bucket.
    public func releaseListing(_ key: AttemptKey) async {
        do { try key.validate() } catch { return }
        guard spool != nil else { return }
        await drop(key, key.listingName)
    }

    private func drop(_ key: AttemptKey, _ name: String) async {
        let (folders, space) = (folders, spool?.space)
        _ = try? await growing[key.logUID].run { () throws(LogError) in
            let length = folders.length(key.logUID, name) ?? 0
            if unlink(folders.path(key.logUID, name)) == 0 { space?.release(length) }
        }
    }
}
