/// The questions that only look. Its verbs stand in `Verbs/`, a file a subject.
public struct StoreReader {
    let db: any SQLConnection
}

/// The verbs that change something, inside one transaction. It can ask everything that a reader can.
public struct StoreWriter {
    let db: any SQLConnection

    public var reader: StoreReader { StoreReader(db: db) }
}
