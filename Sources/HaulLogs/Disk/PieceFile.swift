import Glibc

/// A file that comes in pieces, each with the offset where it belongs. A piece may come twice.
struct PieceFile {
    let folders: JobFolders
    let logUID: String
    let name: String
    /// Bytes that are kept.
    let limit: Int
    /// What follows the last byte that is kept, where the rest is dropped; nil where too much is an error.
    let cutMark: [UInt8]?

    /// - Returns: bytes that the sender need not send again.
    func accept(_ bytes: [UInt8], at offset: Int) throws(LogError) -> Int {
        var file = try folders.openToWrite(logUID, name)
        let size = try file?.size() ?? 0
        let have = min(size, limit)
        guard offset >= 0 else { throw .wrongOffset(have: have) }
        let (wanted, isOverflow) = offset.addingReportingOverflow(bytes.count)
        if isOverflow { throw .wrongOffset(have: have) }
        if size > limit {
            // It was cut: all that comes is dropped, so that a chatty tool fails no transfer.
            if let file, offset < limit { try compare(bytes, at: offset, have: have, file) }
            return max(wanted, have)
        }
        guard offset <= have else { throw .wrongOffset(have: have) }
        if let file { try compare(bytes, at: offset, have: have, file) }
        guard wanted > have else { return have }
        var fresh = bytes[(have - offset)...]
        if wanted > limit {
            guard let cutMark else { throw .tooLarge(limit: limit) }
            fresh = (Array(fresh.prefix(limit - have)) + cutMark)[...]
        }
        if file == nil { file = try folders.create(logUID, name) }
        try file?.writeWhole(fresh, at: size)
        return wanted
    }

    /// Throws where a piece says something else than what is there.
    private func compare(_ bytes: [UInt8], at offset: Int, have: Int, _ file: OpenFile) throws(LogError) {
        let count = min(bytes.count, have - offset)
        guard count > 0 else { return }
        let there = try file.read(at: offset, count: count)
        guard there.elementsEqual(bytes[..<count]) else { throw .wrongOffset(have: have) }
    }
}

extension JobFolders {
    /// Nil where there is no such file.
    func openToWrite(_ logUID: String, _ name: String) throws(LogError) -> OpenFile? {
        try OpenFile(path(logUID, name), O_RDWR, room: room)
    }

    /// Bytes of a file; nil where there is none.
    func length(_ logUID: String, _ name: String) -> Int? {
        var status = stat()
        guard lstat(path(logUID, name), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }
}
