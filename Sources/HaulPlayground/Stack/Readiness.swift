/// Waiting for a condition itself, never for a time.
enum Readiness {
    /// Asks again and again until the condition holds.
    /// - Returns: false when `limit` is over, or the task was cancelled, before it did.
    static func holds(within limit: Duration, _ condition: () async throws -> Bool) async rethrows -> Bool {
        let deadline = ContinuousClock.now + limit
        while !Task.isCancelled {
            if try await condition() { return true }
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(25))
        }
        return false
    }
}
