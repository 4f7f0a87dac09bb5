import Glibc
import HaulModel

/// One group of appended logs: written job by job, then made durable together.
struct AppendGroup {
    private let folders: JobFolders
    private let limits: LogLimits
    private let requests: [Appender.Request]
    private var places: [[Attempt.LogPlace?]]
    private var failures: [LogError?]
    /// Open until they are synced; empty where the whole file system is.
    private var touched: [(file: OpenFile, logUID: String, name: String)] = []
    private var syncsAll = false

    init(_ appender: Appender, _ requests: [Appender.Request]) {
        folders = appender.folders
        limits = appender.limits
        self.requests = requests
        places = requests.map { Array(repeating: nil, count: $0.records.count) }
        failures = Array(repeating: nil, count: requests.count)
    }

    private typealias Position = (request: Int, record: Int)

    consuming func write(_ files: inout OpenNumberedFiles) -> [Appender.Answer] {
        var jobs: [String: [Position]] = [:]
        var order: [String] = []
        for (request, content) in requests.enumerated() {
            for (record, log) in content.records.enumerated() {
                if jobs[log.key.logUID] == nil { order.append(log.key.logUID) }
                jobs[log.key.logUID, default: []].append((request, record))
            }
        }
        syncsAll = order.count > min(limits.filesSyncedEach, limits.openFiles)
        for logUID in order { writeJob(logUID, jobs[logUID] ?? [], &files) }
        do throws(LogError) {
            try sync(order)
        } catch {
            failures = failures.map { _ in error }
        }
        return zip(failures, places).map { failure, places in
            failure.map { .failure($0) } ?? .success(places.compactMap { $0 })
        }
    }

    /// A job whose file fails, fails the requests that hold a log of it, and no others.
    private mutating func writeJob(_ logUID: String, _ positions: [Position], _ files: inout OpenNumberedFiles) {
        do throws(LogError) {
            var file = try opened(logUID, &files)
            file.begin()
            do throws(LogError) {
                for position in positions {
                    let record = try inOwnFile(requests[position.request].records[position.record])
                    places[position.request][position.record] = try file.add(record)
                }
                try file.flush()
            } catch {
                file.takeBack()
                throw error
            }
            if !syncsAll { touched.append((file.file, logUID, file.name)) }
            files.put(file, for: logUID)
        } catch {
            for position in positions { failures[position.request] = error }
        }
    }

    private func opened(_ logUID: String, _ files: inout OpenNumberedFiles) throws(LogError) -> NumberedFile {
        if let file = files.take(logUID) { return file }
        return try NumberedFile(logUID: logUID, folders: folders, fullAt: limits.numberedFile)
    }

    /// A long log is written to a file of its own at once; what is appended is where.
    private mutating func inOwnFile(_ record: LogRecord) throws(LogError) -> LogRecord {
        guard case .text(let whole) = record.content, whole.count > limits.ownFile else { return record }
        let text = LogHeader.cut(whole, to: limits.log)
        let (file, name) = try newFile(record.key)
        do throws(LogError) {
            try file.write(text[...], at: 0)
        } catch {
            unlink(folders.path(record.key.logUID, name))
            throw error
        }
        try folders.makeDurable(file, record.key.logUID, name)
        var result = record
        result.content = .elsewhere(Attempt.LogPlace(file: name, offset: 0, length: text.count))
        return result
    }

    /// Its usual name, or the next that is free: an earlier report may have ended before it was recorded.
    private func newFile(_ key: AttemptKey) throws(LogError) -> (OpenFile, String) {
        for number in 1...100 {
            let name = number == 1 ? key.logName : "\(key.stem).\(number).log"
            var status = stat()
            if lstat(folders.path(key.logUID, name), &status) == 0 { continue }
            return (try folders.create(key.logUID, name, exclusively: true), name)
        }
        throw .io("100 logs of one attempt")
    }

    private func sync(_ jobs: [String]) throws(LogError) {
        if syncsAll {
            // Folders and their entries are part of the file system too.
            try folders.rootFolder.syncFileSystem()
            return
        }
        var entries: Set<String> = []
        for (file, logUID, name) in touched {
            try file.syncData()
            entries.formUnion(folders.unsynced(logUID, name))
        }
        // The deepest first: an entry that is found leads to something.
        for folder in entries.sorted(by: { $0.utf8.count > $1.utf8.count }) { try folders.sync(folder: folder) }
        for (_, logUID, name) in touched { folders.markDurable(logUID, name) }
    }
}
