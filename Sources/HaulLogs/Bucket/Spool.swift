import Glibc

/// What a log store has besides its folders where finished files go to a bucket: a flat folder in which they wait, each
/// named `LOG_UID.NAME`, and the bucket, where its key is `ab/LOG_UID/NAME`.
final class Spool: Sendable {
    var root: String { folder.root }
    /// Held: it keeps other processes out.
    private let folder: SpoolFolder
    let bucket: Bucket
    let finished: JobFolders
    let space: SpoolSpace
    private let lengths = ObjectLengths()

    init(_ folder: SpoolFolder, bytes: Int, bucket: BucketAddress, server: Int) throws(LogError) {
        self.folder = folder
        self.bucket = Bucket(bucket)
        finished = try JobFolders(root: folder.root + "/finished", server: server, isFlat: true)
        space = SpoolSpace(limit: bytes)
    }

    static func key(_ logUID: String, _ name: String) -> String { prefix(logUID) + name }
    static func prefix(_ logUID: String) -> String { "\(logUID.prefix(2))/\(logUID)/" }

    /// Bytes of a finished file in the bucket; nil where it is not there.
    func length(_ logUID: String, _ name: String) async throws(LogError) -> Int? {
        let key = Self.key(logUID, name)
        if let known = lengths[key] { return known }
        let length = try await bucket.length(key)
        if let length { lengths[key] = length }
        return length
    }

    /// Up to `count` bytes of a finished file in the bucket, and how long it is; nil where it is not there.
    func read(
        _ logUID: String, _ name: String, from: Int, count: Int
    ) async throws(LogError) -> (bytes: [UInt8], size: Int)? {
        try await bucket.read(Self.key(logUID, name), from: from, count: count)
    }

    /// Gives a file of `running` its place among the finished ones as well, durable.
    func finish(_ file: OpenFile, _ logUID: String, _ path: String, as name: String) throws(LogError) {
        let target = finished.path(logUID, name)
        if link(path, target) != 0 {
            guard errno == EEXIST else { throw LogError.system("link") }
            // The same call came before, and a crash after it: the file has grown since, or is another.
            unlink(target)
            guard link(path, target) == 0 else { throw LogError.system("link") }
        }
        space.add(file.bytesOnDisk)
        try file.syncData()
        try finished.sync(folder: finished.root)
    }

    /// Names of finished files that wait, `limit` at most.
    func waiting(limit: Int) -> [(logUID: String, name: String)] {
        FolderRemoval.names(finished.root, limit: limit).compactMap(Self.file)
    }

    /// A finished file that waits, by the name of its entry; nil for what is none.
    static func file(_ entry: String) -> (logUID: String, name: String)? {
        guard entry.utf8.count > 33, entry.utf8.dropFirst(32).first == UInt8(ascii: ".") else { return nil }
        return (String(entry.prefix(32)), String(entry.dropFirst(33)))
    }

    /// Counts what is on the disk.
    func recount() { space.set(FolderRemoval.bytes(below: root)) }

    /// Removes the finished files of a job that wait.
    func remove(_ logUID: String) {
        for name in FolderRemoval.names(finished.root) where name.hasPrefix(logUID + ".") {
            unlink(finished.root + "/" + name)
        }
    }
}
