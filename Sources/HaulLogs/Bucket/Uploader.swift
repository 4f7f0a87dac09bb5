import Glibc

/// Brings finished files from the spool to the bucket, as long as it runs. What a crash leaves behind is there the next
/// time; a file goes from the spool when the bucket says that it has all of it.
final class Uploader: Sendable {
    private let spool: Spool
    private let appender: Appender
    private let limits: LogLimits
    private let queue = WorkQueue("upload")
    /// Files of one round, of those at the same time, and failures after which the rest waits for the next.
    private static let round = 512
    private static let width = 4
    private static let failures = 4
    /// Seconds between rounds that find nothing, and between counts of what is on the disk.
    private static let period = 0.5
    private static let recountPeriod = 60.0
    /// Seconds after a failure, doubled each time.
    private static let firstPause = 0.5
    private static let longestPause = 30.0
    /// Bytes that are sent at once; a longer file goes up in parts of as many.
    private static let part = 8 << 20

    init(spool: Spool, appender: Appender, limits: LogLimits) {
        self.spool = spool
        self.appender = appender
        self.limits = limits
    }

    /// Returns when its task is cancelled.
    ///
    /// - Parameter onEvent: told when uploads begin to fail, with the cause, and with nil when they work again.
    func run(onEvent: @escaping @Sendable (String?) -> Void) async {
        let clock = ContinuousClock()
        var counted: ContinuousClock.Instant?
        var pause = 0.0
        while !Task.isCancelled {
            if counted.map({ clock.now - $0 > .seconds(Self.recountPeriod) }) ?? true {
                let spool = spool
                try? await queue.run { () throws(LogError) in spool.recount() }
                counted = clock.now
            }
            let (done, failure) = await bringSome()
            if let failure, !Task.isCancelled {
                if pause == 0 { onEvent("\(failure)") }
                pause = min(Self.longestPause, max(Self.firstPause, pause * 2))
                try? await Task.sleep(for: .seconds(pause * Double.random(in: 0.5...1)))
            } else {
                if pause > 0, done > 0 { onEvent(nil) }
                if done > 0 || pause == 0 { pause = 0 }
                if done < Self.round { try? await Task.sleep(for: .seconds(Self.period)) }
            }
        }
    }

    private func bringSome() async -> (done: Int, failure: LogError?) {
        let spool = spool
        let found = (try? await queue.run { () throws(LogError) in spool.waiting(limit: Self.round) }) ?? []
        // After the look: what is not open now, and was there then, is written to no more.
        let open = await appender.seal(olderThan: .seconds(limits.uploadAfter))
        var files = found.filter { !open.contains($0.logUID + "." + $0.name) }[...]
        return await withTaskGroup { group in
            var (done, failed) = (0, 0)
            var failure: LogError?
            for _ in 0..<Self.width {
                guard let file = files.popFirst() else { break }
                group.addTask { await self.outcome(of: file) }
            }
            while let outcome = await group.next() {
                if let outcome {
                    failure = outcome
                    failed += 1
                } else {
                    done += 1
                }
                if failed < Self.failures, !Task.isCancelled, let file = files.popFirst() {
                    group.addTask { await self.outcome(of: file) }
                }
            }
            return (done, failure)
        }
    }

    private func outcome(of file: (logUID: String, name: String)) async -> LogError? {
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
