import Glibc
public import HaulModel

extension LogStore {
    /// Adds a piece to the listing of a running LIST, as NDJSON (`ListingLine`); the rules are `appendGrowing`'s.
    ///
    /// - Returns: bytes that need not be sent again.
    /// - Throws: `wrongOffset`, `tooLarge` past `LogLimits.listing`, `full`, `io`, `invalidKey`.
    public func appendListing(_ key: AttemptKey, offset: Int, bytes: [UInt8]) async throws(LogError) -> Int {
        try key.validate()
        let pieces = PieceFile(
            folders: folders, logUID: key.logUID, name: key.listingName, limit: limits.listing, cutMark: nil)
        return try await accept(bytes, at: offset, into: pieces)
    }

    /// Reads all of a listing and makes it durable. Nothing else of its job waits for it longer than a piece takes.
    ///
    /// - Returns: nil when none was sent.
    /// - Throws: `invalidListing` with the first line that is wrong: each must be a `ListingLine` of an entry with a
    ///   proper name, in the first line's directory or one below it, and lines of a directory must stand together.
    public func finishListing(_ key: AttemptKey) async throws(LogError) -> ListingSummary? {
        try key.validate()
        let (folders, spool, server) = (folders, spool, server)
        let queue = growing[key.logUID]
        let opened = try await queue.run { () throws(LogError) in
            try folders.openToWrite(key.logUID, key.listingName)
        }
        guard let file = opened else { return nil }
        let check = ListingCheck(longestLine: limits.listingLine)
        while true {
            let summary = try await queue.run { () throws(LogError) -> ListingSummary? in
                guard let summary = try check.advance(file) else { return nil }
                guard let spool else {
                    try folders.makeDurable(file, key.logUID, key.listingName)
                    return summary
                }
                try spool.finish(
                    file, key.logUID, folders.path(key.logUID, key.listingName), as: key.listingName(ofServer: server))
                return summary
            }
            if let summary { return summary }
        }
    }

    /// Writes a listing that came whole in a report, in place of any that the attempt sent before. `finishListing`
    /// checks it and makes it durable.
    ///
    /// - Throws: `tooLarge`, `full`, `spoolFull`, `io`, `invalidKey`; then what was there before stays.
    public func writeListing(
        _ key: AttemptKey, lines: some Sequence<ListingLine> & Sendable
    ) async throws(LogError) {
        try key.validate()
        let (folders, limit, space) = (folders, limits.listing, spool?.space)
        try await growing[key.logUID].run { () throws(LogError) in
            let name = key.listingName + ".new"
            let path = folders.path(key.logUID, name)
            do throws(LogError) {
                let file = try folders.create(key.logUID, name)
                file.cut(to: 0)
                try Self.write(lines, to: file, limit: limit)
                try space?.reserve(file.size())
            } catch {
                unlink(path)
                throw error
            }
            guard rename(path, folders.path(key.logUID, key.listingName)) == 0 else {
                throw LogError.system("rename")
            }
            // The entry in the folder is another one now.
            folders.forget(key.logUID)
        }
    }

    private static func write(
        _ lines: some Sequence<ListingLine>, to file: OpenFile, limit: Int
    ) throws(LogError) {
        var buffer: [UInt8] = []
        var end = 0
        for line in lines {
            ListingLineCodec.encode(line, into: &buffer)
            guard end + buffer.count <= limit else { throw .tooLarge(limit: limit) }
            if buffer.count >= 1 << 20 {
                try file.write(buffer[...], at: end)
                end += buffer.count
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try file.write(buffer[...], at: end)
    }

    /// Reads an attempt's finished listing in pieces.
    ///
    /// - Parameter writer: the server that took it; nil is this one.
    public func listing(_ key: AttemptKey, server writer: Int? = nil) -> ListingReader {
        ListingReader(logs: self, key: key, server: writer ?? server, longestLine: limits.listingLine)
    }

    /// The name of a finished listing.
    func listingName(_ key: AttemptKey, server writer: Int) -> String {
        spool == nil ? key.listingName : key.listingName(ofServer: writer)
    }

    /// Whether a finished listing is there.
    ///
    /// - Parameter writer: the server that took it; nil is this one.
    /// - Throws: `away` where that can't be told now.
    public func listingExists(_ key: AttemptKey, server writer: Int? = nil) async throws(LogError) -> Bool {
        do throws(LogError) { try key.validate() } catch { return false }
        let writer = writer ?? server
        return try await length(listingName(key, server: writer), job: key.logUID, server: writer) != nil
    }

    /// Bytes of what a running attempt sent of its listing; nil where it sent none.
    public func listingLength(_ key: AttemptKey) async -> Int? {
        do { try key.validate() } catch { return nil }
        let folders = folders
        let length = try? await reading[key.logUID].run { () throws(LogError) in
            folders.length(key.logUID, key.listingName)
        }
        return length ?? nil
    }
}
