import HaulModel

/// The numbered files that logs are appended to, of which a few are kept open.
struct NumberedFiles {
    private struct Open {
        var number: Int
        var file: OpenFile
        var length: Int
        var used: Int
    }

    private let folders: JobFolders
    private let limits: LogLimits
    private var open: [String: Open] = [:]
    private var clock = 0
    /// Written since the last sync: job and name.
    private var touched: [String: (logUID: String, name: String, file: OpenFile)] = [:]

    init(folders: JobFolders, limits: LogLimits) {
        self.folders = folders
        self.limits = limits
    }

    /// Writes logs, those of one job together. They are durable after ``sync()``.
    mutating func write(_ logs: [FinishedLog]) throws(LogError) -> [Attempt.LogPlace] {
        var places = [Attempt.LogPlace?](repeating: nil, count: logs.count)
        let jobs = Dictionary(grouping: logs.indices) { logs[$0].key.logUID }
        for (logUID, indices) in jobs {
            for index in indices where logs[index].text.count > limits.ownFile {
                places[index] = try writeOwn(logs[index])
            }
            let small = indices.filter { places[$0] == nil }
            for (index, place) in zip(small, try append(small.map { logs[$0] }, logUID: logUID)) {
                places[index] = place
            }
        }
        return places.compactMap { $0 }
    }

    /// Makes durable what was written.
    mutating func sync() throws(LogError) {
        let files = touched.values
        touched.removeAll()
        if files.count > limits.filesSyncedEach {
            try folders.rootFolder.syncFileSystem()
            for item in files { folders.markDurable(item.logUID, item.name) }
        } else {
            for item in files { try folders.makeDurable(item.file, item.logUID, item.name) }
        }
    }

    private mutating func append(_ logs: [FinishedLog], logUID: String) throws(LogError) -> [Attempt.LogPlace] {
        if logs.isEmpty { return [] }
        var target = try current(logUID)
        let name = Self.name(target.number)
        var bytes: [UInt8] = []
        // What a crash left behind may end in the middle of a line.
        if target.length > 0, try target.file.read(at: target.length - 1, count: 1) != [0x0A] { bytes.append(0x0A) }
        var places: [Attempt.LogPlace] = []
        for log in logs {
            bytes += LogStore.header(log.key, worker: log.worker, time: log.time)
            places.append(.init(file: name, offset: target.length + bytes.count, length: log.text.count))
            bytes += log.text
            if bytes.last != 0x0A { bytes.append(0x0A) }
        }
        do {
            try target.file.writeWhole(bytes[...], at: target.length)
        } catch {
            // Where the file ends now is looked up when it is opened again.
            open[logUID] = nil
            throw error
        }
        target.length += bytes.count
        open[logUID] = target
        touched[logUID + name] = (logUID, name, target.file)
        return places
    }

    /// A log too long for a numbered file.
    private mutating func writeOwn(_ log: FinishedLog) throws(LogError) -> Attempt.LogPlace {
        let name = log.key.logName
        let file = try folders.create(log.key.logUID, name)
        file.cut(to: 0)
        let text = LogText.cut(log.text, to: limits.log)
        try file.writeWhole(text, at: 0)
        touched[log.key.logUID + name] = (log.key.logUID, name, file)
        return .init(file: name, offset: 0, length: text.count)
    }

    /// The file that the next log of a job goes to.
    private mutating func current(_ logUID: String) throws(LogError) -> Open {
        clock += 1
        if var known = open[logUID], known.length < limits.numberedFile {
            known.used = clock
            open[logUID] = known
            return known
        }
        var number = (open[logUID]?.number).map { $0 + 1 } ?? 1
        var file = try folders.create(logUID, Self.name(number))
        var length = try file.size()
        while length >= limits.numberedFile {
            number += 1
            file = try folders.create(logUID, Self.name(number))
            length = try file.size()
        }
        if open.count >= limits.openFiles, let oldest = open.min(by: { $0.value.used < $1.value.used }) {
            open[oldest.key] = nil
        }
        let opened = Open(number: number, file: file, length: length, used: clock)
        open[logUID] = opened
        return opened
    }

    private static func name(_ number: Int) -> String { "attempts-\(number).log" }
}
