import Foundation
public import HaulModel

/// What a listing is, once it is whole.
public struct ListingSummary: Sendable, Hashable {
    public var bytes: Int
    public var entries: Int
    public var directories: Int
}

extension LogStore {
    /// Appends a piece of a listing in its NDJSON form (``ListingLine``), with the rules of ``appendGrowing(_:offset:bytes:)``.
    ///
    /// - Returns: bytes that are there now.
    /// - Throws: `.tooLarge` past the limit of a listing: nothing was written.
    public func appendListing(_ key: AttemptKey, offset: Int, bytes: [UInt8]) async throws(LogError) -> Int {
        try key.validate()
        return try await queues[key.logUID].run { [folders, limits] () throws(LogError) in
            let file = try folders.create(key.logUID, key.listingName)
            let length = try file.size()
            let new = try Self.continuation(of: file, length: length, offset: offset, bytes: bytes)
            guard length + new.count <= limits.listing else { throw .tooLarge(limit: limits.listing) }
            try file.writeWhole(new, at: length)
            return length + new.count
        }
    }

    /// Writes a listing that came whole, in the place of whatever came in pieces.
    public func writeListing(_ key: AttemptKey, lines: [ListingLine]) async throws(LogError) {
        try key.validate()
        try await queues[key.logUID].run { [folders, limits] () throws(LogError) in
            let file = try folders.create(key.logUID, key.listingName)
            file.cut(to: 0)
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            var length = 0
            var piece: [UInt8] = []
            for (number, line) in lines.enumerated() {
                guard let text = try? encoder.encode(line) else {
                    throw .invalidListing(line: number + 1, why: "cannot be written")
                }
                piece += text
                piece.append(0x0A)
                if piece.count < 1 << 20 && number + 1 < lines.count { continue }
                guard length + piece.count <= limits.listing else { throw .tooLarge(limit: limits.listing) }
                try file.write(piece[...], at: length)
                length += piece.count
                piece.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Checks a listing line by line and makes it durable.
    ///
    /// - Returns: nil where none came.
    /// - Throws: `.invalidListing` with the first line that breaks the form.
    public func finishListing(_ key: AttemptKey) async throws(LogError) -> ListingSummary? {
        try key.validate()
        return try await queues[key.logUID].run { [folders, limits] () throws(LogError) -> ListingSummary? in
            guard try folders.open(key.logUID, key.listingName) != nil else { return nil }
            let file = try folders.create(key.logUID, key.listingName)
            var check = ListingCheck()
            let lines = LineFile(file: file, longest: limits.listingLine)
            var offset = 0
            var isEnd = false
            while !isEnd {
                let read: LineFile.Piece
                do throws(LogError) { read = try lines.next(from: offset, limit: 1000) } catch {
                    guard case .tooLarge(let limit) = error else { throw error }
                    throw .invalidListing(line: check.lines + 1, why: "is longer than \(limit) bytes")
                }
                for line in read.lines { try check.take(line) }
                offset = read.offset
                isEnd = read.isEnd
            }
            try folders.makeDurable(file, key.logUID, key.listingName)
            return ListingSummary(bytes: try file.size(), entries: check.entries, directories: check.directories)
        }
    }

    /// Whether a listing, or a piece of one, came.
    public func listingExists(_ key: AttemptKey) async -> Bool { await ownLength(key, key.listingName) != nil }

    /// Reads a listing that is whole.
    public func listing(_ key: AttemptKey) -> ListingReader { ListingReader(store: self, key: key) }
}

/// Reads a listing piece by piece; where it stands is the caller's to keep.
public struct ListingReader: Sendable {
    let store: LogStore
    let key: AttemptKey

    /// Up to `limit` lines from `offset` on.
    ///
    /// - Parameter offset: bytes; 0, or what the piece before said.
    /// - Returns: the lines, the offset of the line after them, and whether there is none.
    /// - Throws: `.missing` where there is no listing.
    public func next(
        from offset: Int, limit: Int
    ) async throws(LogError) -> (lines: [ListingLine], offset: Int, isEnd: Bool) {
        try key.validate()
        return try await store.queues[key.logUID].run { [store, key] () throws(LogError) in
            guard let file = try store.folders.open(key.logUID, key.listingName) else {
                throw .missing(key.listingName)
            }
            let piece = try LineFile(file: file, longest: store.limits.listingLine).next(from: offset, limit: limit)
            let decoder = JSONDecoder()
            var lines: [ListingLine] = []
            lines.reserveCapacity(piece.lines.count)
            for (number, line) in piece.lines.enumerated() {
                guard let line = try? decoder.decode(ListingLine.self, from: Data(line)) else {
                    throw .invalidListing(line: number + 1, why: "is no entry")
                }
                lines.append(line)
            }
            return (lines, piece.offset, piece.isEnd)
        }
    }
}
