import CPostgreSQL
import Glibc

/// One connection to a PostgreSQL server, in pipeline mode: what was sent is answered in order, up to a sync.
///
/// It reconnects by itself when it is asked to; what is in flight then is lost, and whoever waits for it is told so.
final class PostgresLink {
    /// Milliseconds that nothing may move while an answer is waited for: a server that is stopped, or a network that is
    /// cut, is no longer waited for.
    private static let patience: Int32 = 30_000

    private let url: String
    private let name: String
    /// What the session is told before its first use.
    private let setup: String
    private let outage: PostgresOutage
    private(set) var handle: OpaquePointer?

    /// - Parameter outage: Shared by all that go to the same database.
    init(url: String, name: String, setup: String, outage: PostgresOutage) {
        self.url = url
        self.name = name
        self.setup = setup
        self.outage = outage
    }

    deinit { close() }

    /// True while the connection is there, as far as is known.
    var isOpen: Bool { handle != nil }

    var isInTransaction: Bool {
        guard let handle else { return false }
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
    }

    func close() {
        if let handle { PQfinish(handle) }
        handle = nil
    }

    /// - Throws: `.unavailable` where the server does not answer, or did not a moment ago.
    func open() throws(StoreError) {
        guard handle == nil else { return }
        try outage.check()
        do {
            try connect()
            outage.isOver()
        } catch {
            close()
            outage.note(error)
            throw error
        }
    }

    private func connect() throws(StoreError) {
        // What the URL says comes last, and so goes before these.
        let options = [
            ("fallback_application_name", name), ("connect_timeout", "10"), ("keepalives_idle", "10"),
            ("keepalives_interval", "5"), ("keepalives_count", "3"), ("tcp_user_timeout", "20000"), ("dbname", url),
            ("client_encoding", "UTF8"),
        ]
        handle = Self.withStrings(options.map(\.0)) { keys in
            Self.withStrings(options.map(\.1)) { values in PQconnectdbParams(keys, values, 1) }
        }
        guard let handle else { throw .unavailable("libpq has no memory") }
        guard PQstatus(handle) == CONNECTION_OK else { throw .unavailable("no connection: \(Self.message(handle))") }
        guard PQsetnonblocking(handle, 1) == 0 else { throw .unavailable("libpq can't be kept from blocking") }
        try script(setup)
        try pipelined()
    }

    /// Runs a text of several statements.
    func script(_ sql: String) throws(StoreError) {
        guard let handle else { throw .unavailable("no connection") }
        if PQpipelineStatus(handle) != PQ_PIPELINE_OFF, PQexitPipelineMode(handle) != 1 {
            throw lost("a script came while answers were expected")
        }
        guard PQsendQuery(handle, sql) == 1 else { throw lost(Self.message(handle)) }
        var failure: StoreError?
        while let result = try next() {
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            if status != PGRES_COMMAND_OK, status != PGRES_TUPLES_OK { failure = failure ?? Self.error(result, sql) }
        }
        try pipelined()
        if let failure { throw failure }
    }

    private func pipelined() throws(StoreError) {
        guard let handle else { throw .unavailable("no connection") }
        if PQpipelineStatus(handle) == PQ_PIPELINE_OFF, PQenterPipelineMode(handle) != 1 {
            throw lost("no pipeline: \(Self.message(handle))")
        }
    }

    /// The next result of what was sent, the caller's to clear; nil at the end of one statement's.
    ///
    /// - Throws: `.unavailable` when the connection is lost; it is closed then.
    func next() throws(StoreError) -> OpaquePointer? {
        guard let handle else { throw .unavailable("no connection") }
        switch haul_pq_await(handle, Self.patience) {
        case 0: return PQgetResult(handle)
        case 1: throw lost("no answer for \(Self.patience / 1000) s")
        default: throw lost(Self.message(handle))
        }
    }

    /// Closes the connection, and says why.
    func lost(_ why: String) -> StoreError {
        close()
        return .unavailable("the connection to the database is lost: \(why)")
    }

    /// What a failed result says.
    static func error(_ result: OpaquePointer, _ sql: String) -> StoreError {
        let state = haul_pq_sqlstate(result).map { String(cString: $0) } ?? ""
        let line = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let message = oneLine(String(cString: PQresultErrorMessage(result)))
        let text = "\(message) (\(state.isEmpty ? "no state" : state)) in: \(line)"
        switch state.prefix(2) {
        case "23": return .constraint(text)
        // Connection, rolled back, resources (a full disk), limits of the session, operators, system, idle for too long.
        case "08", "40", "53", "55", "57", "58", "25", "": return .unavailable(text)
        default: return .failed(text)
        }
    }

    private static func message(_ handle: OpaquePointer) -> String { oneLine(String(cString: PQerrorMessage(handle))) }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("ERROR:  ", with: "")
    }

    /// Calls `body` with a list of texts that ends with a null pointer.
    private static func withStrings<T>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T
    ) -> T {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return (copies.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("a list with its end has a place") }
            return body(start)
        }
    }
}
