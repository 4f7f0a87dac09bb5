import Glibc
public import HaulModel

extension LogStore {
    /// Keeps the log of a report that came after its lease had ended: aside, marked late, durable. Of one attempt only
    /// the first `LogLimits.lateLogs` are kept, each cut at `LogLimits.lateLog`; the rest are dropped without an error.
    ///
    /// - Throws: `full`, `io`, `fsyncFailed`, `invalidKey`.
    public func keepLate(
        _ key: AttemptKey, worker: String, time: Timestamp, text: [UInt8]
    ) async throws(LogError) {
        try key.validate()
        let (folders, limits, spool) = (folders, limits, spool)
        try await growing[key.logUID].run { () throws(LogError) in
            let names = (0..<max(0, limits.lateLogs)).map { "\(folders.own(key.stem + ".late"))-\($0 + 1).log" }
            guard let name = names.first(where: { folders.length(key.logUID, $0) == nil }) else { return }
            let file = try folders.create(key.logUID, name, exclusively: true)
            let header = LogHeader.line(key, worker: worker, time: time, note: ", late")
            do throws(LogError) {
                try file.write((header + LogHeader.cut(text, to: limits.lateLog))[...], at: 0)
            } catch {
                unlink(folders.path(key.logUID, name))
                throw error
            }
            try folders.makeDurable(file, key.logUID, name)
            // The first name stays until the job has ended: by it they are counted.
            try spool?.finish(file, key.logUID, folders.path(key.logUID, name), as: name)
        }
    }
}
