import Foundation
import HaulModel
import HaulProtocol

/// Runs requests of many elements through few curl processes: what is asked for while one starts or runs goes
/// together into the next, whose connections serve several requests each.
///
/// A process that dies takes only the answers with it that it still owed: those requests run again, each in a process
/// of its own, and the one at fault fails alone.
public actor CurlPool {
    private struct Pending {
        var request: any CurlRequest
        var continuation: CheckedContinuation<HTTPResponse, any Error>
        var cancelled = false
        /// Runs alone, because the process that it shared died.
        var solo = false
    }

    private struct Process {
        var members: Set<Int>
        var child: Child?
    }

    private static let most = 4
    private static let requestsAtOnce = 64
    private static let connections = 16
    /// How long a request waits for company.
    private static let gathering = Duration.milliseconds(3)
    /// How long after one process the next may start beside it.
    private static let spacing = Duration.milliseconds(30)
    /// How long a cancelled request may still run before its process is ended under all that share it.
    private static let patience = Duration.seconds(2)

    private let tool: CurlTool
    private let roof: Int
    private var nextID = 0
    private var nextProcess = 0
    private var requests: [Int: Pending] = [:]
    private var waiting: [Int] = []
    private var processes: [Int: Process] = [:]
    private var lastStart: ContinuousClock.Instant?
    private var scheduled = false
    /// How many curl processes ran, for tests and the log.
    public private(set) var started = 0

    /// - Parameter roof: Bytes that one answer's body may have.
    public init(tool: CurlTool, roof: Int) {
        self.tool = tool
        self.roof = roof
    }

    /// Runs the request; returns what came of it, HTTP errors included.
    /// - Throws: `CancellationError`, once the request does not run any more; ``BackendFailure`` where curl itself
    ///   cannot be run.
    public func perform(_ request: any CurlRequest) async throws -> HTTPResponse {
        nextID += 1
        let id = nextID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                requests[id] = Pending(request: request, continuation: continuation)
                waiting.append(id)
                schedule()
            }
        } onCancel: {
            Task { await cancel(id) }
        }
    }

    private func cancel(_ id: Int) async {
        guard requests[id] != nil else { return }
        if let index = waiting.firstIndex(of: id) {
            waiting.remove(at: index)
            requests.removeValue(forKey: id)?.continuation.resume(throwing: CancellationError())
            return
        }
        requests[id]?.cancelled = true
        guard let number = processes.first(where: { $0.value.members.contains(id) })?.key else { return }
        if processes[number]?.members.allSatisfy({ requests[$0]?.cancelled ?? true }) == false {
            try? await Task.sleep(for: Self.patience)
        }
        if requests[id] != nil, processes[number]?.members.contains(id) == true {
            processes[number]?.child?.signal(SIGKILL)
        }
    }

    private func schedule() {
        guard !scheduled, !waiting.isEmpty, processes.count < Self.most else { return }
        scheduled = true
        var delay = Self.gathering
        if !processes.isEmpty, let lastStart {
            delay = max(delay, Self.spacing - (ContinuousClock.now - lastStart))
        }
        Task {
            try? await Task.sleep(for: delay)
            scheduled = false
            launch()
            schedule()
        }
    }

    private func launch() {
        guard let first = waiting.first, processes.count < Self.most else { return }
        let alone = requests[first]?.solo ?? false
        let members = alone ? [first] : waiting.filter { requests[$0]?.solo == false }.prefix(Self.requestsAtOnce)
        waiting.removeAll { members.contains($0) }
        nextProcess += 1
        let number = nextProcess
        processes[number] = Process(members: Set(members))
        lastStart = .now
        started += 1
        var config = CurlConfig()
        for (index, id) in members.enumerated() {
            if index > 0 { config.flag("next") }
            if let request = requests[id]?.request { config.append(request.config(tag: "\(id)")) }
        }
        let text = config.text
        Task { await run(number, text, alone: members.count == 1) }
    }

    private func run(_ number: Int, _ config: String, alone: Bool) async {
        defer {
            processes[number] = nil
            schedule()
        }
        let child: Child
        do {
            child = try await Child.start(tool.parallel(Self.connections, roof: roof))
        } catch {
            let failure = BackendFailure(.backend, "\(error)")
            for id in processes[number]?.members ?? [] {
                requests.removeValue(forKey: id)?.continuation.resume(throwing: failure)
            }
            return
        }
        processes[number]?.child = child
        guard let input = child.input, let errors = child.errors else { return }
        // Its own task: curl may complain while it still reads.
        let feeding = Task {
            _ = await input.write(Data(config.utf8))
            input.finish()
        }
        var lines = ResponseLines(errors)
        while let (tag, response) = await lines.next() {
            guard let id = Int(tag), processes[number]?.members.contains(id) == true else { continue }
            // It could not read the file that one of them sends, and gave all of them up.
            if response.exitCode == 26, response.status == 0, !alone { continue }
            settle(id, in: number, response)
        }
        // Whoever writes endless lines is not listened to any more.
        if child.status == nil, await child.wait(atMost: .seconds(1)) == nil { child.signal(SIGKILL) }
        let status = await child.wait()
        // A write that waits for room is not told that nobody reads any more.
        input.close()
        _ = await feeding.value
        owed(number, status, lines.complaint, alone: alone)
    }

    private func settle(_ id: Int, in number: Int, _ response: HTTPResponse) {
        processes[number]?.members.remove(id)
        guard let pending = requests.removeValue(forKey: id) else { return }
        var response = response
        response.repeated = pending.solo
        if pending.cancelled {
            pending.continuation.resume(throwing: CancellationError())
        } else {
            pending.continuation.resume(returning: response)
        }
    }

    /// What the process ended without an answer to.
    private func owed(_ number: Int, _ status: ExitStatus, _ complaint: String, alone: Bool) {
        for id in (processes[number]?.members ?? []).sorted() {
            guard let pending = requests[id] else { continue }
            if pending.cancelled || alone {
                let message = complaint.isEmpty ? "curl \(status) without an answer" : complaint
                let code = status.isSuccess ? 2 : status.code
                settle(
                    id, in: number,
                    HTTPResponse(exitCode: code, status: 0, downloaded: 0, uploaded: 0, message: message))
            } else {
                requests[id]?.solo = true
                waiting.append(id)
            }
        }
    }
}
