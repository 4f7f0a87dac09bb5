import HaulLogs
import HaulModel

/// A report on its way: under which lease, and where its log and listing are once they are on disk.
struct FiledReport: Sendable {
    /// Its place among the reports of its request.
    var index: Int
    var report: Report
    var lease: Lease
    var log: Attempt.LogPlace?
    /// Its log came in pieces, at least in part.
    var hasGrown = false
    var listingLength: Int?
    /// Why its listing can't be used: the attempt failed, whatever the worker says.
    var listingProblem: (class: ErrorClass, reason: String)?

    init(index: Int, report: Report, lease: Lease) {
        self.index = index
        self.report = report
        self.lease = lease
    }

    private var isSuccess: Bool { report.returnCode == 0 && listingProblem == nil }

    private var errorClass: ErrorClass { listingProblem?.class ?? report.errorClass ?? .unknown }

    private var reason: String? {
        listingProblem?.reason ?? report.reason ?? "the worker's tool ended with return code \(report.returnCode)"
    }

    /// What it means to the state machine.
    var event: ElementMachine.Event {
        if !isSuccess, errorClass == .drained { return .givenBack(reason: reason) }
        guard isSuccess else { return .failed(errorClass, reason: reason) }
        let isCopy = lease.element.type == .copy
        return .succeeded(size: isCopy && lease.element.size == 0 && transferred > 0 ? transferred : nil)
    }

    /// The attempt with all that the report says of it.
    func ended(_ attempt: Attempt, now: Timestamp, server: Int) -> Attempt {
        var result = attempt
        result.ended = now
        result.status = isSuccess ? .done : .failed
        result.errorClass = isSuccess ? nil : errorClass
        result.reason = isSuccess ? nil : reason
        // Nothing that failed ended well.
        result.returnCode = isSuccess || report.returnCode != 0 ? report.returnCode : 1
        result.checksum = report.checksum
        result.worker = worker
        result.log = log
        result.listingLength = listingLength
        result.server = server
        // What it told on its way stays where the report is silent: it may be newer than what was read.
        result.progress = nil
        if report.transferred != nil {
            let seconds = max(now.seconds(since: attempt.started), 0.001)
            result.progress = Attempt.Progress(
                transferred: transferred, elapsed: seconds, instant: Double(transferred) / seconds,
                average: Double(transferred) / seconds)
        }
        return result
    }

    /// The name of the worker that ran it; of one that named none, where it ran.
    var worker: String { lease.isSessionless && !report.host.isEmpty ? report.host : lease.attempt.worker }

    private var transferred: Int { report.transferred.map { lease.moved($0) } ?? 0 }
}

extension Engine {
    /// Writes the logs and listings of reports to disk, the logs together.
    func file(_ reports: [FiledReport]) async throws -> [FiledReport] {
        var result = reports
        var whole: [Int] = []
        let growing = await logs.growing(reports.map(\.lease.key))
        for place in result.indices {
            let item = result[place]
            if item.lease.element.type == .list, item.report.returnCode == 0 {
                do {
                    if var lines = item.report.listing {
                        // A document that names nothing: an empty directory to who only looks; nothing is copied or
                        // removed on its word.
                        if lines.isEmpty, item.lease.jobType == .list {
                            lines = [ListingLine(directory: item.lease.element.sourcePath, entry: nil)]
                        }
                        try await logs.writeListing(item.lease.key, lines: lines)
                    }
                    result[place].listingLength = try await logs.finishListing(item.lease.key)?.bytes
                    if result[place].listingLength == nil {
                        result[place].listingProblem = (
                            .interrupted, "the server that its listing had gone to is away for good"
                        )
                    }
                } catch .invalidListing(let line, let why) {
                    result[place].listingProblem = (.invalid, "line \(line) of the listing: \(why)")
                } catch {
                    throw failure(error)
                }
            }
            if !growing.contains(item.lease.key) {
                whole.append(place)
            } else {
                result[place].hasGrown = true
                result[place].log = try await logging {
                    try await logs.finishGrowing(
                        item.lease.key, worker: item.worker, time: world.now(), extra: item.report.log)
                }
            }
        }
        let finished = whole.map { place in
            FinishedLog(
                key: result[place].lease.key, worker: result[place].worker, time: world.now(),
                text: Self.lostLog(of: result[place].lease) + result[place].report.log)
        }
        let places = try await logging { try await logs.append(finished) }
        for (place, log) in zip(whole, places) { result[place].log = log }
        return result
    }

    /// What stands in the place of a log's beginning where the server that had it is gone.
    static func lostLog(of lease: Lease) -> [UInt8] {
        lease.isTakenOver ? Array("haul: the server that had what came before of this log is gone\n".utf8) : []
    }

    /// Runs what touches the logs, with its errors in words for the client.
    func logging<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as LogError {
            throw failure(error)
        }
    }

    /// A log error in words for the client; one that leaves the disk's state unknown ends the process.
    private func failure(_ error: LogError) -> EngineError {
        if case .fsyncFailed(let cause) = error { onDiskFailure(cause) }
        return EngineError(error)
    }

}

extension EngineError {
    /// A log error, told without a path.
    init(_ error: LogError) {
        switch error {
        case .wrongOffset(let have):
            self.init(
                .conflict, code: "wrong_offset", detail: "The server has \(have) bytes.",
                hint: "Go on from offset \(have).", offset: have)
        case .tooLarge:
            self.init(
                .tooLarge, code: "too_large", detail: "The listing is larger than this server keeps.",
                hint: "List less at a time: a directory further down, or with `depth`.")
        case .busy:
            self.init(
                .unavailable, code: "busy", detail: "Too many logs wait to be written; nothing was kept.",
                hint: "Try again in a moment.")
        case .full:
            self.init(
                .unavailable, code: "disk_full", detail: "The server's disk is full; nothing was kept.",
                hint: "Try again later.", cause: String(describing: error))
        case .spoolFull:
            self.init(
                .unavailable, code: "spool_full",
                detail: "The store of logs can't be reached, and what waits for it fills its place; nothing was kept.",
                hint: "Try again later.", cause: String(describing: error))
        case .away:
            self.init(
                .unavailable, code: "logs_away", detail: "The store of logs can't be reached.",
                hint: "Try again in a while.", cause: String(describing: error))
        default:
            self.init(
                .fault, code: "logs_failed", detail: "The server could not read or write a log.",
                hint: "Tell the operators when it happened: their log says why.", cause: String(describing: error))
        }
    }
}
