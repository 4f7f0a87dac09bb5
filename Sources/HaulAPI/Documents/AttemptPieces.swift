import HaulEngine
import HaulModel

/// What an attempt left behind, from disk in pieces: none of it is ever held as a whole.
extension Engine {
    /// The log's bytes, piece by piece; none where it has none.
    func eachLogPiece(
        of attempt: Attempt, _ job: Job, _ write: ([UInt8]) async throws -> Void
    ) async throws {
        let length = attempt.log?.length ?? 0
        var offset = 0
        while offset < length {
            let piece = try await readLog(of: attempt, job, from: offset, count: min(256 << 10, length - offset))
            if piece.isEmpty { break }
            offset += piece.count
            try await write(piece)
        }
    }

    /// The listing as one JSON object, piece by piece.
    func eachListingPiece(
        of attempt: Attempt, _ job: Job, as form: ListingJSON.Form, _ write: ([UInt8]) async throws -> Void
    ) async throws {
        var json = ListingJSON(form: form)
        var offset = 0
        while true {
            let read = try await readListing(of: attempt, job, from: offset, limit: 1000)
            try await write(json.encode(read.lines))
            offset = read.offset
            if read.isEnd { break }
        }
        try await write(json.finish())
    }
}
