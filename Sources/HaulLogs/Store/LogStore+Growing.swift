public import HaulModel

extension LogStore {
    /// Appends a piece to the log of an attempt that runs. A piece that is there already is accepted again. Past the
    /// limit of a log what comes is dropped, with a line that says so, and still accepted: no attempt fails for it.
    ///
    /// - Returns: bytes that the sender shall go on from.
    /// - Throws: `.wrongOffset` for a piece that does not continue what is there.
    public func appendGrowing(_ key: AttemptKey, offset: Int, bytes: [UInt8]) async throws(LogError) -> Int {
        try key.validate()
        return try await queues[key.logUID].run { [folders, limits] () throws(LogError) in
            let file = try folders.create(key.logUID, key.logName)
            let length = try file.size()
            if length > limits.log { return offset + bytes.count }
            let new = try Self.continuation(of: file, length: length, offset: offset, bytes: bytes)
            let room = limits.log - length
            let kept = new.count <= room ? new : (Array(new.prefix(room)) + LogText.cutMark)[...]
            try file.writeWhole(kept, at: length)
            return length + new.count
        }
    }

    /// Bytes of the log of an attempt that runs; nil where no piece came.
    public func growingLength(_ key: AttemptKey) async -> Int? {
        await ownLength(key, key.logName)
    }

    /// Ends a log that came in pieces: adds what came last, makes it durable, and moves it to the numbered file of its
    /// job unless it is long.
    public func finishGrowing(
        _ key: AttemptKey, worker: String, time: Timestamp, extra: [UInt8]
    ) async throws(LogError) -> Attempt.LogPlace {
        try key.validate()
        let text = try await queues[key.logUID].run { [folders, limits] () throws(LogError) -> [UInt8]? in
            let file = try folders.create(key.logUID, key.logName)
            let length = try file.size()
            if length + extra.count <= limits.ownFile { return try file.read(at: 0, count: length) + extra }
            if length <= limits.log { try file.writeWhole(LogText.cut(extra, to: limits.log - length), at: length) }
            try folders.makeDurable(file, key.logUID, key.logName)
            return nil
        }
        guard let text else {
            return .init(file: key.logName, offset: 0, length: await ownLength(key, key.logName) ?? 0)
        }
        let places = try await append([FinishedLog(key: key, worker: worker, time: time, text: text)])
        // A crash before this leaves a copy that nothing points to.
        try await queues[key.logUID].run { [folders] () throws(LogError) in folders.unlink(key.logUID, key.logName) }
        guard let place = places.first else { throw .io("a log was not appended") }
        return place
    }

    /// Keeps the log of a report that came too late: aside, marked, cut, and only the first few of an attempt.
    public func keepLate(
        _ key: AttemptKey, worker: String, time: Timestamp, text: [UInt8]
    ) async throws(LogError) {
        try key.validate()
        try await queues[key.logUID].run { [folders, limits] () throws(LogError) in
            for number in 1...max(1, limits.lateLogs) {
                let name = "\(key.stem).late-\(number).log"
                if try folders.open(key.logUID, name) != nil { continue }
                let file = try folders.create(key.logUID, name, exclusively: true)
                let header = Self.header(key, worker: worker, time: time, isLate: true)
                try file.writeWhole((header + LogText.cut(text, to: limits.lateLog))[...], at: 0)
                return
            }
        }
    }

    /// What of a piece is new, if it continues what is there.
    static func continuation(
        of file: OpenFile, length: Int, offset: Int, bytes: [UInt8]
    ) throws(LogError) -> ArraySlice<UInt8> {
        guard offset >= 0, offset <= length else { throw .wrongOffset(have: length) }
        let overlap = min(length - offset, bytes.count)
        if overlap > 0, try file.read(at: offset, count: overlap)[...] != bytes.prefix(overlap) {
            throw .wrongOffset(have: length)
        }
        return bytes.dropFirst(overlap)
    }

    /// Bytes of a file of an attempt's own; nil where there is none.
    func ownLength(_ key: AttemptKey, _ name: String) async -> Int? {
        guard (try? key.validate()) != nil else { return nil }
        let length = try? await queues[key.logUID].run { [folders] () throws(LogError) in
            try folders.open(key.logUID, name)?.size()
        }
        return length ?? nil
    }
}
