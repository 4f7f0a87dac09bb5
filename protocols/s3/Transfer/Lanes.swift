/// Runs a piece of work for each of many things, a few at a time.
enum Lanes {
    /// - Throws: What the first that fails throws, once the others that run have ended.
    static func run<Item: Sendable>(
        _ items: [Item], atOnce: Int, _ body: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        var waiting = items.makeIterator()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, atOnce) {
                guard let item = waiting.next() else { break }
                group.addTask { try await body(item) }
            }
            while try await group.next() != nil {
                try Task.checkCancellation()
                if let item = waiting.next() { group.addTask { try await body(item) } }
            }
        }
    }
}
