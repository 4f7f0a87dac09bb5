import Foundation
import HaulModel
import HaulProtocol

/// A site's xrdfs processes for the length of a batch, each with a connection of its own; one command at a time each.
/// One that died, or was given up in the middle of a command, is replaced for whoever comes next.
actor XrdfsPool {
    /// Four give most of what eight give.
    static let most = 4

    nonisolated let site: XRootDSite
    private let executable: String
    /// The longest that one command may take.
    private let limit: Duration
    private var idle: [Xrdfs] = []
    private var count = 0
    private var waiting: [(ticket: Int, waiter: CheckedContinuation<Void, any Error>)] = []
    private var tickets = 0
    /// Which of the site's endpoints is used: the first that answered.
    private var preferred = 0
    private var isClosed = false
    private var asked: Task<SiteAbilities, any Error>?

    init(_ site: XRootDSite, executable: String, limit: Duration) {
        self.site = site
        self.executable = executable
        self.limit = limit
    }

    /// Where the site is spoken to: for xrdcp.
    var url: String { site.url(site.endpoints[preferred]) }

    /// What the server offers: asked once, by whoever comes first.
    func abilities(_ files: RemoteFiles) async throws -> SiteAbilities {
        let task = asked ?? Task { try await SiteAbilities.ask(files) }
        asked = task
        do {
            return try await Abandonable.run { try await task.value }
        } catch {
            // The next one may have more luck.
            if !(error is CancellationError) { asked = nil }
            throw error
        }
    }

    /// How many wait for an xrdfs.
    var queued: Int { waiting.count }

    /// Runs one command of xrdfs.
    /// - Throws: ``BackendFailure``, or a `CancellationError`; what the server refuses is told in the reply instead.
    func run<Value: Sendable>(
        _ command: String, _ parse: @escaping @Sendable (Data) throws -> Value?
    ) async throws -> Xrdfs.Reply<Value> {
        var tried = 0
        while true {
            let endpoint = preferred
            let shell = try await lease()
            let reply: Xrdfs.Reply<Value>
            do {
                reply = try await Abandonable.run(limit: limit) { try await shell.run(command, parse) }
            } catch {
                shell.end()
                giveBack(nil)
                if error is Abandonable.Late {
                    throw BackendFailure(.timeout, "\(site.name): xrdfs did not answer within \(limit)")
                }
                throw error
            }
            tried += 1
            guard Complaint.isUnconnected(reply.complaint) else {
                giveBack(shell)
                return reply
            }
            shell.end()
            giveBack(nil)
            guard tried < site.endpoints.count else { return reply }
            if preferred == endpoint {
                preferred = (endpoint + 1) % site.endpoints.count
                count -= idle.count
                idle.forEach { $0.end() }
                idle = []
            }
        }
    }

    func close() {
        isClosed = true
        idle.forEach { $0.end() }
        idle = []
        waiting.forEach { $0.waiter.resume(throwing: BackendFailure(.interrupted, "the batch is over")) }
        waiting = []
    }

    private func lease() async throws -> Xrdfs {
        try Task.checkCancellation()
        while true {
            if isClosed { throw BackendFailure(.interrupted, "the batch is over") }
            if let shell = idle.popLast() { return shell }
            if count < Self.most { break }
            try await turn()
            if Task.isCancelled {
                // The turn that came is another's now, who would sleep beside what is free.
                wake()
                throw CancellationError()
            }
        }
        count += 1
        do {
            return try await Xrdfs(executable, url: url, environment: site.environment)
        } catch {
            giveBack(nil)
            throw error
        }
    }

    /// Waits until one may be free.
    private func turn() async throws {
        tickets += 1
        let ticket = tickets
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled { return waiter.resume(throwing: CancellationError()) }
                waiting.append((ticket, waiter))
            }
        } onCancel: {
            Task { await self.leave(ticket) }
        }
    }

    private func leave(_ ticket: Int) {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return }
        waiting.remove(at: index).waiter.resume(throwing: CancellationError())
    }

    /// - Parameter shell: Nil for one that is gone.
    private func giveBack(_ shell: Xrdfs?) {
        if let shell, !isClosed {
            idle.append(shell)
        } else {
            shell?.end()
            count -= 1
        }
        wake()
    }

    /// Lets the next one look, where there is something to be had.
    private func wake() {
        guard !waiting.isEmpty, !idle.isEmpty || count < Self.most else { return }
        waiting.removeFirst().waiter.resume()
    }
}
