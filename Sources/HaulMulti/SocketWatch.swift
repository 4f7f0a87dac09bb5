import CCurl
import Foundation

/// The sockets and the timer of a libcurl multi handle, watched by epoll(7): a look at them costs what is ready, not what
/// is under way. Lives on the multi handle's thread.
public final class SocketWatch {
    /// Ends a wait, from any thread.
    public final class Bell: Sendable {
        fileprivate let descriptor = haul_bell_open()

        public init() {}

        public func ring() { haul_bell_ring(descriptor) }

        deinit { close(descriptor) }
    }

    private let multi: UnsafeMutableRawPointer
    private let watch = haul_watch_open()
    private let bell: Bell
    /// When libcurl wants to be called though nothing is ready.
    private var deadline: ContinuousClock.Instant?
    private var ready = [haul_ready](repeating: haul_ready(), count: 64)

    /// To be made before the first transfer is added, and kept until the multi handle is gone.
    public init(_ multi: UnsafeMutableRawPointer, bell: Bell) {
        self.multi = multi
        self.bell = bell
        haul_watch_set(watch, bell.descriptor, CURL_POLL_IN)
        haul_curl_set_watch(
            multi, { _, socket, what, context, _ in SocketWatch.of(context)?.wait(on: socket, for: what) ?? 0 },
            { _, milliseconds, context in SocketWatch.of(context)?.come(in: milliseconds) ?? 0 },
            Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { close(watch) }

    private static func of(_ context: UnsafeMutableRawPointer?) -> SocketWatch? {
        context.map { Unmanaged<SocketWatch>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Waits until the bell rings, a socket is ready or libcurl's time has come, and has libcurl do what there is to do.
    ///
    /// - Parameter isPatient: false does what there is to do now.
    public func wait(isPatient: Bool = true) {
        let count = haul_watch_wait(watch, &ready, Int32(ready.count), isPatient ? patience : 0)
        var running: Int32 = 0
        for one in ready.prefix(max(0, Int(count))) {
            if one.socket == bell.descriptor {
                haul_bell_hush(one.socket)
            } else {
                curl_multi_socket_action(multi, one.socket, one.actions, &running)
            }
        }
        guard let due = deadline, due <= .now else { return }
        deadline = nil
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
    }

    /// Milliseconds, rounded up: called before its time, libcurl does nothing and does not name that time once more.
    private var patience: Int32 {
        guard let deadline else { return -1 }
        let left = deadline - .now
        return left <= .zero ? 0 : Int32(min(60_000, (left / .milliseconds(1)).rounded(.up)))
    }

    private func wait(on socket: Int32, for what: Int32) -> Int32 {
        // One that libcurl has closed is not watched any more.
        haul_watch_set(watch, socket, what)
        return 0
    }

    private func come(in milliseconds: Int) -> Int32 {
        deadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
        return 0
    }
}
