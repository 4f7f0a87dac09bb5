import HaulCrypto
import HaulModel
import Synchronization

/// How long an issuer's keys are kept. Seconds.
struct KeyTimes: Sendable {
    /// Where the issuer does not say; and what it may say.
    var usual = 3600.0
    var bounds = 60.0...86_400.0
    /// Between two fetches, whatever asks for them: a token that names a new key, an issuer that does not answer.
    var pause = 10.0
    /// For which keys are good that could not be fetched anew.
    var stale = 86_400.0
}

/// The keys of one issuer, fetched when a token asks for them. Who waits for the same keys waits for one fetch; while keys are
/// renewed, and where that fails, those that were there go on being good for a day.
final class KeySource: Sendable {
    private struct State {
        var keys: KeySet?
        /// When `keys` came, and until when nobody asks again.
        var fetched = Timestamp(milliseconds: 0)
        var fresh = Timestamp(milliseconds: 0)
        /// When the last fetch ended.
        var tried: Timestamp?
        var running: Task<Void, Never>?
        var fault: String?
    }

    private let state = Mutex(State())
    private let times: KeyTimes
    private let fetch: @Sendable () async throws(KeyFault) -> FetchedKeys
    private let onChange: @Sendable (String?) -> Void
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - fetch: asks the issuer; ends by itself.
    ///   - onChange: told why keys cannot be had when that is new, and nil when they can again.
    init(
        times: KeyTimes = KeyTimes(), now: @escaping @Sendable () -> Timestamp,
        fetch: @escaping @Sendable () async throws(KeyFault) -> FetchedKeys,
        onChange: @escaping @Sendable (String?) -> Void
    ) {
        self.times = times
        self.now = now
        self.fetch = fetch
        self.onChange = onChange
    }

    /// The keys that a token may have been signed with; none where there are none, or no more.
    func candidates(for token: JSONWebToken) async -> [VerificationKey] {
        if let fetch = state.withLock({ fetchNeeded(for: token, &$0) }) {
            // An issuer that hangs keeps nobody waiting whose keys are still good.
            let known = state.withLock { good(for: token, $0) }
            if !known.isEmpty { return known }
            await fetch.value
        }
        return state.withLock { good(for: token, $0) }
    }

    /// The keys that are there, unless they are too old.
    private func good(for token: JSONWebToken, _ state: State) -> [VerificationKey] {
        let age = now().seconds(since: state.fetched)
        return age <= times.stale ? state.keys?.candidates(for: token) ?? [] : []
    }

    /// The fetch that a token has to wait for: the one that runs, or a new one.
    private func fetchNeeded(for token: JSONWebToken, _ state: inout State) -> Task<Void, Never>? {
        let time = now()
        if let keys = state.keys, time < state.fresh, !keys.candidates(for: token).isEmpty { return nil }
        if let running = state.running { return running }
        // A clock that was put back must not keep everybody waiting.
        if let tried = state.tried, abs(time.seconds(since: tried)) < times.pause { return nil }
        let task = Task { await renew() }
        state.running = task
        return task
    }

    private func renew() async {
        let outcome: Result<FetchedKeys, KeyFault>
        do throws(KeyFault) { outcome = .success(try await fetch()) } catch { outcome = .failure(error) }
        let (isNew, fault) = state.withLock { state -> (Bool, String?) in
            let (time, before) = (now(), state.fault)
            state.running = nil
            state.tried = time
            switch outcome {
            case .success(let fetched):
                let age = fetched.age ?? times.usual
                state.keys = fetched.keys
                state.fetched = time
                state.fresh = time.adding(seconds: min(max(age, times.bounds.lowerBound), times.bounds.upperBound))
                state.fault = nil
            case .failure(let fault): state.fault = fault.description
            }
            return (before != state.fault, state.fault)
        }
        if isNew { onChange(fault) }
    }
}
