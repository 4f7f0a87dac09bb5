import Dispatch
import Foundation

/// SIGTERM and SIGINT as something to await.
final class TerminationSignals {
    private let stream: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        self.stream = stream
        sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(name) }
            source.resume()
            return source
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// The name of the next signal.
    func next() async -> String {
        for await name in stream { return name }
        return ""
    }
}
