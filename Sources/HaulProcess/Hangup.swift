import Foundation

/// SIGHUP, which tells a program that runs for long to read anew what may have changed.
public enum Hangup {
    /// From now on, runs `work` for each that comes, one after the other; those that come meanwhile count once. The signal
    /// ends the process no more.
    ///
    /// - Parameter work: May block: it runs on a thread of its own.
    public static func each(_ work: @escaping @Sendable () -> Void) async {
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "haul.hangup"))
        source.setEventHandler { withExtendedLifetime(source) { work() } }
        // As for EndSignals: Dispatch's handler is there some time after the source is resumed.
        await withCheckedContinuation { continuation in
            source.setRegistrationHandler { continuation.resume() }
            source.resume()
        }
    }
}
