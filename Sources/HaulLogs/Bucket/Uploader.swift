import Glibc

/// Brings finished files from the spool to the bucket, as long as it runs. What a crash leaves behind is there the next
/// time; a file goes from the spool when the bucket says that it has all of it.
final class Uploader: Sendable {
    private let spool: Spool
    private let appender: Appender
    private let limits: LogLimits
    private let queue = WorkQueue("upload")
    /// Files of one round, of those at the same time, and failures in a row after which the rest waits for the next.
    private static let round = 512
    private static let width = 4
    private static let failures = 4
    /// Seconds between rounds that find nothing, and between counts of what is on the disk.
    private static let period = 0.5
    private static let recountPeriod = 60.0
    /// Bytes that are sent at once; a longer file goes up in parts of as many.
    private static let part = 8 << 20

    private typealias File = (logUID: String, name: String)

    /// What became of some files.
    private struct Outcome {
        var done: [String] = []
        var failed: [String] = []
        var failure: LogError?
    }

    init(spool: Spool, appender: Appender, limits: LogLimits) {
        self.spool = spool
        self.appender = appender
        self.limits = limits
    }

    /// Returns when its task is cancelled.
    ///
    /// - Parameter onEvent: told when uploads begin to fail, with the cause, and with nil when all works again.
    func run(onEvent: @escaping @Sendable (String?) -> Void) async {
        let clock = ContinuousClock()
        let start = clock.now
        var counted: ContinuousClock.Instant?
        var order = UploadOrder()
        var isFailing = false
        while !Task.isCancelled {
            if counted.map({ clock.now - $0 > .seconds(Self.recountPeriod) }) ?? true {
                let spool = spool
                try? await queue.run { () throws(LogError) in spool.recount() }
                counted = clock.now
            }
            var done = 0
            for line in [UploadOrder.Line.fresh, .failed] {
                guard order.isDue(line, now: (clock.now - start).seconds) else { continue }
                let outcome = await bring(files(line, order))
                if Task.isCancelled { return }
                let wasStuck = order.isStuck(line)
                order.note(
                    line, done: outcome.done, failed: outcome.failed, now: (clock.now - start).seconds,
                    chance: .random(in: 0..<1))
                done += outcome.done.count
                // What failed before is known to; that nothing new goes up is news.
                if let failure = outcome.failure, !isFailing || line == .fresh && order.isStuck(line) && !wasStuck {
                    isFailing = true
                    onEvent("\(failure)")
                }
            }
            if isFailing, done > 0, order.failed.isEmpty {
                isFailing = false
                onEvent(nil)
            }
            if done < Self.round { try? await Task.sleep(for: .seconds(Self.period)) }
        }
    }

    /// The next files of a line that are written to no more.
    private func files(_ line: UploadOrder.Line, _ order: UploadOrder) async -> [File] {
        let found: [File]
        switch line {
        case .fresh:
            let spool = spool
            let limit = Self.round + order.failed.count
            found = ((try? await queue.run { () throws(LogError) in spool.waiting(limit: limit) }) ?? [])
                .filter { !order.hasFailed($0.logUID + "." + $0.name) }
        case .failed:
            guard !order.failed.isEmpty else { return [] }
            found = order.failed.prefix(Self.round).compactMap(Spool.file)
        }
        // After the look: what is not open now, and was there then, is written to no more.
        let open = await appender.seal(olderThan: .seconds(limits.uploadAfter))
        return found.filter { !open.contains($0.logUID + "." + $0.name) }
    }

    /// Brings files until there are too many failures in a row.
    private func bring(_ files: [File]) async -> Outcome {
        var files = files[...]
        return await withTaskGroup(of: (String, LogError?).self) { group in
            var result = Outcome()
            var failuresInARow = 0
            func next() {
                guard let file = files.popFirst() else { return }
                group.addTask { (file.logUID + "." + file.name, await self.outcome(of: file)) }
            }
            for _ in 0..<Self.width { next() }
            while let (name, failure) = await group.next() {
                if let failure {
                    result.failed.append(name)
                    result.failure = failure
                    failuresInARow += 1
                } else {
                    result.done.append(name)
                    failuresInARow = 0
                }
                if failuresInARow < Self.failures, !Task.isCancelled { next() }
            }
            return result
        }
    }

    private func outcome(of file: File) async -> LogError? {
        do throws(LogError) {
            try await bring(file.logUID, file.name)
            return nil
        } catch {
            return error
        }
    }

    private func bring(_ logUID: String, _ name: String) async throws(LogError) {
        let spool = spool
        let opened = try await queue.run { () throws(LogError) -> (OpenFile, Int)? in
            guard let file = try spool.finished.open(logUID, name) else { return nil }
            return (file, try file.size())
        }
        // Its job was removed meanwhile.
        guard let (file, size) = opened else { return }
        let key = Spool.key(logUID, name)
        if size <= Self.part {
            try await spool.bucket.put(key, read(file, at: 0, count: size))
        } else {
            let upload = try await spool.bucket.beginParts(key)
            var tags: [String] = []
            for offset in stride(from: 0, to: size, by: Self.part) {
                let bytes = try await read(file, at: offset, count: min(Self.part, size - offset))
                tags.append(
                    try await spool.bucket.putPart(key, upload: upload, number: tags.count + 1, bytes))
            }
            try await spool.bucket.finishParts(key, upload: upload, tags: tags)
        }
        // Ours is the only copy until this is true.
        guard try await spool.bucket.length(key) == size else {
            throw .away("the bucket does not hold what it accepted")
        }
        let path = spool.finished.path(logUID, name)
        try await queue.run { () throws(LogError) in
            // Finished anew meanwhile: it goes up again.
            guard try file.size() == size, file.stands(at: path) else { return }
            if unlink(path) == 0 { spool.space.release(file.bytesOnDisk) }
        }
    }

    private func read(_ file: OpenFile, at offset: Int, count: Int) async throws(LogError) -> [UInt8] {
        let bytes = try await queue.run { () throws(LogError) in try file.read(at: offset, count: count) }
        guard bytes.count == count else { throw .io("a file of the spool became shorter") }
        return bytes
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
