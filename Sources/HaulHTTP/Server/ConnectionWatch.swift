import CMicroHTTPD
@preconcurrency import Dispatch
import Foundation

/// Looks after connections from outside libmicrohttpd, a few times a second: it cuts requests that drip past their
/// deadline, and tells a handler whose client left while the connection was parked, which libmicrohttpd can't see.
final class ConnectionWatch: Sendable {
    private let timer: any DispatchSourceTimer

    init(core: ServerCore) {
        let interval = min(0.5, max(0.02, min(core.configuration.requestDeadline, core.configuration.idleTimeout) / 4))
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "haul.http.watch"))
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { Self.look(core) }
        timer.activate()
    }

    func stop() { timer.cancel() }

    private static func look(_ core: ServerCore) {
        let now = ContinuousClock.now
        var parked: [Exchange] = []
        var sockets: [pollfd] = []
        for connection in core.allConnections {
            guard let exchange = connection.check(now: now) else { continue }
            parked.append(exchange)
            sockets.append(pollfd(fd: connection.socket, events: haul_poll_left(), revents: 0))
        }
        guard !sockets.isEmpty, poll(&sockets, UInt(sockets.count), 0) > 0 else { return }
        let gone = haul_poll_left() | Int16(POLLHUP | POLLERR)
        // A socket closed meanwhile belongs to an exchange that is over, which no longer minds.
        for (exchange, socket) in zip(parked, sockets) where socket.revents & gone != 0 { exchange.clientLeft() }
    }
}
