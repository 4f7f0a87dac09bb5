import CPostgreSQL
import Dispatch
import Glibc

/// Hears what other servers of the database tell, and finds out by itself what it did not hear.
///
/// Notifications are read as they come, without a thread that waits; once a second the number of the latest change is
/// compared with what was heard. After a reconnection anything may have happened.
///
/// `@unchecked Sendable`: what changes is touched on `queue` alone.
final class PostgresListener: @unchecked Sendable {
    static let channel = "haul"
    /// Seconds between two looks at the number of changes.
    private static let period = 1.0

    private let queue = DispatchQueue(label: "haul.store.listen")
    private let link: PostgresLink
    private let sender: String
    private var timer: (any DispatchSourceTimer)?
    private var source: (any DispatchSourceRead)?
    private var hear: (@Sendable (StoreChange) -> Void)?
    /// The number of the latest change that was heard of; nil is unknown.
    private var number: Int?
    /// Looks for which what this server told is heard, too.
    private var looksWithOwn = 0
    /// Longer than a server takes to notice that nobody waits for its answer any more.
    private static let looksWithOwn = 60

    init(url: String, sender: String, outage: PostgresOutage) {
        self.sender = sender
        link = PostgresLink(
            url: url, name: "hauld listens",
            setup: "SET idle_in_transaction_session_timeout = '15s'; LISTEN \(Self.channel)", outage: outage)
    }

    /// Calls `hear` from now on, on a queue of its own, until ``stop()``.
    func start(_ hear: @escaping @Sendable (StoreChange) -> Void) {
        queue.async { [self] in
            self.hear = hear
            let timer = DispatchSource.makeTimerSource(queue: queue)
            timer.schedule(deadline: .now(), repeating: Self.period)
            timer.setEventHandler { [weak self] in self?.look() }
            timer.resume()
            self.timer = timer
        }
    }

    /// The answer to a commit of this server was lost. If it is on disk, what it told was for others alone: after the next
    /// look anything may have happened; and it may get there later, so that for a while own ones are heard like others'.
    func distrust() {
        queue.async { [self] in
            number = nil
            looksWithOwn = Self.looksWithOwn
        }
    }

    /// Ends it, soon. Also from within what hears.
    func stop() {
        queue.async { [self] in
            timer?.cancel()
            timer = nil
            hear = nil
            disconnect()
        }
    }

    private func disconnect() {
        source?.cancel()
        source = nil
        number = nil
        link.close()
    }

    /// Looks for what was not heard.
    private func look() {
        if !link.isOpen {
            disconnect()
            guard (try? link.open()) != nil, let handle = link.handle else { return }
            source = watch(PQsocket(handle))
        }
        looksWithOwn = max(0, looksWithOwn - 1)
        guard let latest = latestNumber() else { return disconnect() }
        // What it says of itself came over this connection before the answer.
        readNotifications()
        if latest != number {
            number = max(latest, number ?? 0)
            hear?(.anything)
        }
    }

    /// Reads as notifications come, by a duplicate of the socket: libpq closes its own whenever the connection is lost, and
    /// one that is closed before its source has let go of it lets Dispatch crash. Nil without a descriptor: the looks go on.
    private func watch(_ socket: Int32) -> (any DispatchSourceRead)? {
        let descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.read() }
        source.setCancelHandler { close(descriptor) }
        source.resume()
        return source
    }

    private func latestNumber() -> Int? {
        guard let handle = link.handle,
            PQsendQueryParams(handle, "SELECT number FROM changes WHERE id = 1", 0, nil, nil, nil, nil, 0) == 1,
            PQpipelineSync(handle) == 1
        else { return nil }
        var latest: Int?
        do {
            while let result = try link.next() {
                defer { PQclear(result) }
                if PQresultStatus(result) == PGRES_TUPLES_OK, PQntuples(result) == 1 {
                    latest = PostgresRow(result).int(0)
                }
            }
            // The sync's own.
            if let sync = try link.next() { PQclear(sync) }
        } catch { return nil }
        return latest
    }

    private func read() {
        guard let handle = link.handle else { return }
        guard PQconsumeInput(handle) == 1 else { return disconnect() }
        readNotifications()
    }

    private func readNotifications() {
        guard let handle = link.handle else { return }
        var heard = StoreChange()
        while let notification = PQnotifies(handle) {
            defer { PQfreemem(notification) }
            take(String(cString: notification.pointee.extra), into: &heard)
        }
        if !heard.isNothing { hear?(heard) }
    }

    /// `NUMBER SENDER KINDS JOBS`
    private func take(_ text: String, into heard: inout StoreChange) {
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let told = Int(parts[0]), let change = StoreChange(text: parts[2]) else { return }
        // Numbers come in the order of the commits: one that is missing was not heard.
        // Where nothing is known of those before it, the next look tells.
        if let known = number {
            if told > known + 1 { heard.add(.anything) }
            number = max(known, told)
        }
        if parts[1] != sender || looksWithOwn > 0 { heard.add(change) }
    }
}
