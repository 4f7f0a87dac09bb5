public import HaulProtocol
import Synchronization

/// The events of a backend's run, as they came.
public final class Events: Sendable {
    private let all = Mutex<[BackendEvent]>([])

    public init() {}

    public func add(_ event: BackendEvent) { all.withLock { $0.append(event) } }

    public var list: [BackendEvent] { all.withLock { $0 } }

    /// The results of an element; there shall be one.
    public func results(_ id: String) -> [ElementResult] {
        list.compactMap { if case .result(id, let result) = $0 { result } else { nil } }
    }

    /// The log of an element.
    public func log(_ id: String) -> String {
        list.compactMap { if case .log(id, let text) = $0 { text } else { nil } }.joined(separator: "\n")
    }

    /// Waits until something holds; false when it did not within 60 s.
    public func until(_ holds: @Sendable ([BackendEvent]) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if holds(list) { return true }
            await Task.yield()
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}
