/// The questions that only look. Its verbs stand in `Verbs/`, a file a subject.
public struct StoreReader {
    let db: any SQLConnection
}

/// The verbs that change something, inside one transaction. It can ask everything that a reader can.
public struct StoreWriter {
    let db: any SQLConnection
    /// What its transaction tells, as it comes together.
    let told: Told

    final class Told {
        var change = StoreChange()
    }

    /// Has the other servers of the database told, once this is on disk.
    public func tell(_ change: StoreChange) { told.change.add(change) }

    public var reader: StoreReader { StoreReader(db: db) }
}
