/// Turns the lines of a job's listing, one after the other, into the elements that do the job.
///
/// - COPY: an element for each file, and a MKDIR for each directory in which nothing is left to copy.
/// - REMOVE: an element for each entry, directories with a final slash, the source itself last.
/// - RENAME: one element.
///
/// Its whole state is a value that can be stored between two lines, so that an expansion goes on where a crash stopped
/// it.
public struct Expansion: Sendable, Hashable, Codable {
    /// What the listing turned out to be of; nil before its first line.
    private var root: Root?
    /// The directory whose lines are coming, and whether any of them led to something.
    private var directory: String?
    private var directoryIsKept = false

    private enum Root: Sendable, Hashable, Codable {
        case file
        /// The listing's own spelling of the source directory.
        case directory(String)
    }

    public init() {}

    /// The prefix of names of unfinished copies, which are no part of the data.
    public static let partialPrefix = ".haul-part-"

    /// The elements that a line of the listing asks for. Lines of a directory must stand together.
    public mutating func elements(for line: ListingLine, of job: Job) -> [ElementSeed] {
        let root = root ?? Self.root(of: line, source: job.source.path)
        self.root = root
        guard case .directory(let top) = root else { return fileSeeds(line, of: job) }
        let isSame = directory.map { TransferPath.same($0, line.directory) } ?? false
        var seeds = isSame ? [] : closeDirectory(of: job, top: top)
        directory = line.directory
        guard let entry = line.entry, let below = TransferPath.relative(line.directory, to: top) else { return seeds }
        let path = TransferPath.join(below, entry.name)
        switch job.type {
        case .copy: seeds += copySeeds(entry, at: path, of: job)
        case .remove: seeds.append(Self.removal(entry, at: path, of: job))
        case .list, .rename, .mkdir, .task: break
        }
        return seeds
    }

    /// The elements that are due when the listing is at its end.
    public mutating func finish(_ job: Job) -> [ElementSeed] {
        var seeds: [ElementSeed] = []
        if case .directory(let top) = root { seeds = closeDirectory(of: job, top: top) }
        switch job.type {
        case .rename:
            return [
                ElementSeed(type: .rename, source: job.source.path, destination: job.destination?.path)
            ]
        case .remove where root != .file && root != nil:
            let top = TransferPath.trimmed(job.source.path)
            return seeds + [ElementSeed(type: .remove, source: top == "/" ? top : top + "/", depth: 0, isHeld: true)]
        default:
            return seeds
        }
    }

    /// A listing is of a single file when its only directory is the source's parent and its entry the source itself.
    private static func root(of line: ListingLine, source: String) -> Root {
        let wanted = TransferPath.normalized(source)
        let seen = TransferPath.normalized(line.directory)
        if TransferPath.same(seen, wanted) { return .directory(line.directory) }
        // A listing that leaves out the source's own entries, because there are none but directories.
        if let below = TransferPath.relative(seen, to: wanted), line.directory.utf8.count > below.utf8.count + 1,
            line.directory.utf8.suffix(below.utf8.count).elementsEqual(below.utf8)
        {
            return .directory(TransferPath.trimmed(String(line.directory.utf8.dropLast(below.utf8.count)) ?? wanted))
        }
        let name = TransferPath.name(wanted)
        if let entry = line.entry, entry.kind != .directory, TransferPath.same(entry.name, name),
            TransferPath.same(seen, TransferPath.parent(wanted)) || !TransferPath.same(TransferPath.name(seen), name)
        {
            return .file
        }
        // A worker that spells the home out (`/home/u/data` for `~/data`): its first directory is the source.
        return .directory(line.directory)
    }

    private func fileSeeds(_ line: ListingLine, of job: Job) -> [ElementSeed] {
        guard let entry = line.entry else { return [] }
        switch job.type {
        case .copy:
            guard let destination = job.destination?.path else { return [] }
            let target =
                destination.utf8.last == UInt8(ascii: "/")
                ? destination + TransferPath.name(job.source.path) : destination
            return [ElementSeed(type: .copy, source: job.source.path, destination: target, size: entry.size)]
        case .remove:
            return [ElementSeed(type: .remove, source: job.source.path, size: entry.size)]
        case .list, .rename, .mkdir, .task:
            return []
        }
    }

    private mutating func copySeeds(_ entry: ListingEntry, at path: String, of job: Job) -> [ElementSeed] {
        guard let destination = job.destination?.path, !entry.name.utf8.starts(with: Self.partialPrefix.utf8) else {
            return []
        }
        switch entry.kind {
        case .directory:
            directoryIsKept = true
            return []
        case .link where CommonOptions(job.options).symlinks == .skip:
            return []
        case .file, .link, .other:
            directoryIsKept = true
            return [
                ElementSeed(
                    type: .copy, source: TransferPath.join(TransferPath.trimmed(job.source.path), path),
                    destination: TransferPath.join(TransferPath.trimmed(destination), path), size: entry.size)
            ]
        }
    }

    private static func removal(_ entry: ListingEntry, at path: String, of job: Job) -> ElementSeed {
        let isDirectory = entry.kind == .directory
        return ElementSeed(
            type: .remove,
            source: TransferPath.join(TransferPath.trimmed(job.source.path), path) + (isDirectory ? "/" : ""),
            size: isDirectory ? 0 : entry.size, depth: TransferPath.depth(path), isHeld: isDirectory)
    }

    /// Ends the directory whose lines came so far: one in which nothing was kept has to be made by itself.
    private mutating func closeDirectory(of job: Job, top: String) -> [ElementSeed] {
        defer {
            directory = nil
            directoryIsKept = false
        }
        guard job.type == .copy, let directory, !directoryIsKept, let destination = job.destination?.path,
            let path = TransferPath.relative(directory, to: top)
        else { return [] }
        return [ElementSeed(type: .mkdir, source: TransferPath.join(TransferPath.trimmed(destination), path))]
    }
}
