public import HaulModel

extension LogStore {
    /// Whether the file of each place is there and long enough.
    public func exists(_ logUID: String, _ places: [Attempt.LogPlace]) async -> [Bool] {
        let lengths = try? await queues[logUID].run { [folders] () throws(LogError) in
            try AttemptKey.validate(logUID: logUID)
            var lengths: [String: Int] = [:]
            for place in places where lengths[place.file] == nil {
                guard (try? AttemptKey.validate(file: place.file)) != nil else { continue }
                lengths[place.file] = (try? folders.open(logUID, place.file)?.size()) ?? nil
            }
            return lengths
        }
        return places.map { place in (lengths?[place.file]).map { place.offset + place.length <= $0 } ?? false }
    }

    /// A piece of a log, so that a long one can be streamed.
    ///
    /// - Parameters:
    ///   - from: bytes from the log's start.
    ///   - count: bytes at most.
    /// - Throws: `.missing` where it is not there.
    public func read(
        _ logUID: String, _ place: Attempt.LogPlace, from: Int, count: Int
    ) async throws(LogError) -> [UInt8] {
        try AttemptKey.validate(logUID: logUID)
        try AttemptKey.validate(file: place.file)
        let wanted = max(0, min(count, place.length - from))
        return try await queues[logUID].run { [folders] () throws(LogError) in
            guard let file = try folders.open(logUID, place.file) else { throw .missing(place.file) }
            let bytes = try file.read(at: place.offset + from, count: wanted)
            guard bytes.count == wanted else { throw .missing(place.file) }
            return bytes
        }
    }
}
