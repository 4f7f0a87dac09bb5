/// A driver's connection with what the store's queues need of it: transactions, and whole scripts for the schema.
protocol StoreConnection: SQLConnection {
    /// The database is in this process: a question is answered within the time of a few system calls.
    var isNear: Bool { get }
    /// False once the open transaction is lost as a whole, whatever its savepoints say.
    var canGoOn: Bool { get }
    /// Begins a transaction that may write. Nobody else writes until it ends, on whichever server.
    func beginWriting() throws
    /// Begins what sees one moment and changes nothing.
    ///
    /// - Parameter isOneStatement: no other follows: it needs no transaction of its own.
    func beginReading(isOneStatement: Bool) throws
    /// Makes the transaction durable.
    ///
    /// - Parameter change: what the other servers of the database are told of it.
    func commit(telling change: StoreChange) throws
    /// Nothing where no transaction is open.
    func rollback() throws
    /// Runs a text of several statements, as the steps of the schema are.
    func script(_ sql: String) throws
    /// A step of the schema, as this database writes it.
    func schema(_ sql: String) -> String
}
