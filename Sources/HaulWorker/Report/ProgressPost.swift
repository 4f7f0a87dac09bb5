import HaulWire

/// Brings progress to the server: the latest of each attempt, a few requests at a time, each tried once. Progress that
/// is overtaken by a newer one, or by its outcome, is never sent.
actor ProgressPost {
    private static let senders = 2

    private let server: any WorkerServer
    /// Is told of a lease that the server says has ended.
    private let gone: @Sendable (AttemptKey) async -> Void
    /// Is told whether somebody waits for what was posted.
    private let watched: @Sendable (AttemptKey, Bool) async -> Void
    private var latest: [AttemptKey: ProgressDocument] = [:]
    private var order: [AttemptKey] = []
    private var busy = 0

    init(
        server: any WorkerServer, gone: @escaping @Sendable (AttemptKey) async -> Void,
        watched: @escaping @Sendable (AttemptKey, Bool) async -> Void
    ) {
        self.server = server
        self.gone = gone
        self.watched = watched
    }

    func post(_ progress: ProgressDocument, of attempt: AttemptKey) {
        if latest.updateValue(progress, forKey: attempt) == nil { order.append(attempt) }
        guard busy < Self.senders else { return }
        busy += 1
        Task { await drain() }
    }

    /// The attempt has ended.
    func forget(_ attempt: AttemptKey) {
        if latest.removeValue(forKey: attempt) != nil { order.removeAll { $0 == attempt } }
    }

    private func drain() async {
        while !order.isEmpty {
            let attempt = order.removeFirst()
            guard let progress = latest.removeValue(forKey: attempt) else { continue }
            do {
                let reply = try await server.progress(progress, of: attempt)
                await watched(attempt, reply.watched ?? false)
            } catch {
                if case .refused(status: 409, _) = error { await gone(attempt) }
            }
        }
        busy -= 1
    }
}
