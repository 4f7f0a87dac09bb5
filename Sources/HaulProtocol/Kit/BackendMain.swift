import Foundation
import HaulModel

/// The main function of a backend written in Swift.
public enum BackendMain {
    /// Speaks the wire contract on stdin and stdout until stdin ends and every element has its result, then exits:
    /// 0, or 2 where stdin does not speak the contract. SIGTERM cancels what runs and then exits with 143.
    ///
    ///     @main struct Main { static func main() async { await BackendMain.run(MyBackend.self) } }
    public static func run<B: Backend>(_ type: B.Type) async -> Never {
        // A tool or a worker that goes away is an error of a write, not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        let reader = LineReader(descriptor: 0)
        let writer = LineWriter(descriptor: 1)
        guard let first = await reader.next() else { exit(0) }
        let batch: BatchSpec
        do {
            guard case .batch(let spec) = try BackendCommand(line: first) else {
                throw WireError("comes before the batch")
            }
            batch = spec
        } catch {
            complain("the first line \(error)")
            exit(2)
        }
        let session = BackendSession<B>(batch: batch, writer: writer)
        let terminated = onTermination { await session.cancelAll() }
        var status: Int32 = 0
        while let line = await reader.next() {
            do {
                switch try BackendCommand(line: line) {
                case .batch: throw WireError("is a second batch")
                case .element(let element): await session.add(element)
                case .cancel(let id, let keep): await session.cancel(id, keep: keep)
                case .ask(let id, let question): await session.ask(id, question)
                case .answer(let id, let answer): await session.answer(id, answer)
                }
            } catch {
                complain("a line \(error)")
                status = 2
                break
            }
        }
        await session.drain()
        await writer.flush()
        terminated.cancel()
        exit(status)
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("haul: standard input: \(text)\n".utf8))
    }

    /// SIGTERM comes when a cancel was not answered: what listens to cancellation still ends in order.
    private static func onTermination(_ body: @escaping @Sendable () async -> Void) -> any DispatchSourceSignal {
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        source.setEventHandler {
            Task {
                await body()
                exit(143)
            }
            // What does not listen to its cancellation is not waited for until SIGKILL.
            DispatchQueue.global().asyncAfter(deadline: .now() + 3) { exit(143) }
        }
        source.resume()
        return source
    }
}
