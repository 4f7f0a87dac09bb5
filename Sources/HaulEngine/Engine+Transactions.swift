import HaulStore

extension Engine {
    /// Elements from which on a transaction has a commit of its own.
    static let large = 50

    /// One transaction over a ledger; what it wakes is woken once it is on disk.
    ///
    /// - Parameter elements: how many it may change.
    func transact<T: Sendable>(
        elements: Int = 1, _ body: @escaping @Sendable (StoreWriter, Ledger) throws -> T
    ) async throws -> T {
        let (result, change, ended) = try await store.write(isLarge: elements >= Self.large) { [self] writer in
            let ledger = Ledger(writer, engine: self)
            let result = try body(writer, ledger)
            try ledger.close()
            writer.tell(ledger.change)
            return (result, ledger.change, ledger.ended)
        }
        wake(change)
        throughput.note(ended, now: world.now())
        return result
    }
}
