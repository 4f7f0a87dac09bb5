import Foundation
public import HaulModel
import Synchronization

/// Where an operation tells about its element. Safe to call from any thread; after the element's result it is deaf.
public final class ElementReport: Sendable {
    private struct State {
        var result = ElementResult()
        var began = ContinuousClock.now
        var lastTime: ContinuousClock.Instant?
        var lastBytes = 0
        var dropped = 0
        var cancelled = false
        var givenUp = false
        var ended = false
    }

    private static let interval = Duration.milliseconds(200)
    /// Bytes up to which a file is there before anybody could look.
    private static let small = 1 << 20
    private static let longestText = 64 << 10

    /// The element's id.
    public let id: String
    private let writer: LineWriter
    /// To the source of an element that is streamed into a site.
    let link: SourceLink?
    private let state = Mutex(State())

    init(id: String, writer: LineWriter, link: SourceLink? = nil) {
        self.id = id
        self.writer = writer
        self.link = link
    }

    /// Adds a text (a line, or several) to the element's log. Dropped, and counted in the log, when the worker does
    /// not keep up; what is past 64 KiB of one text is cut.
    public func log(_ text: String) {
        guard !isEnded else { return }
        var text = text
        if text.utf8.count > Self.longestText {
            text = String(decoding: text.utf8.prefix(Self.longestText), as: UTF8.self) + " ..."
        }
        if !writer.offer(BackendLine.log(id: id, text: text).line()) { state.withLock { $0.dropped += 1 } }
    }

    /// Tells how many bytes are done, at any rate: at most five lines a second leave the process, and none of a small file
    /// that is through sooner. A change of `transferred`, in either direction, is what the timeout counts as progress.
    /// - Parameter total: Bytes to move, where known.
    public func progress(transferred: Int, total: Int? = nil) {
        let now = ContinuousClock.now
        let progress: TransferProgress? = state.withLock { state in
            state.result.transferred = transferred
            let isDue =
                state.lastTime.map { now - $0 >= Self.interval }
                ?? (total ?? .max > Self.small || now - state.began >= Self.interval)
            guard !state.ended, isDue else { return nil }
            let elapsed = (now - state.began).seconds
            let interval = (now - (state.lastTime ?? state.began)).seconds
            let moved = Double(max(0, transferred - state.lastBytes))
            state.lastTime = now
            state.lastBytes = transferred
            return TransferProgress(
                transferred: transferred, total: total, elapsed: elapsed,
                instant: interval > 0 ? moved / interval : 0,
                average: elapsed > 0 ? Double(transferred) / elapsed : 0)
        }
        if let progress { _ = writer.offer(BackendLine.progress(id: id, progress).line()) }
    }

    /// Reports entries of a directory, in chunks that the wire takes; waits while the worker does not keep up.
    /// An empty directory is reported with no entries.
    /// - Parameter directory: As ``ListingPath`` makes it: the source as given, and the way below it.
    public func entries(directory: String, _ entries: [ListingEntry]) async throws {
        var rest = entries[...]
        repeat {
            try Task.checkCancellation()
            let chunk = rest.prefix(Self.fitting(rest))
            rest = rest.dropFirst(chunk.count)
            guard !isEnded else { return }
            await writer.write(BackendLine.entries(id: id, directory: directory, Array(chunk)).line())
        } while !rest.isEmpty
    }

    /// The bytes that the result tells, where ``progress(transferred:total:)`` did not.
    public func transferred(_ bytes: Int) { state.withLock { $0.result.transferred = bytes } }

    /// The content's checksum for the result: `md5:HEX`.
    public func checksum(_ sum: String) { state.withLock { $0.result.checksum = sum } }

    /// The tool's exit status, for a result that is ok (a failure carries its own).
    public func returncode(_ code: Int) { state.withLock { $0.result.returncode = code } }

    /// True once the element was cancelled: for code that runs outside of its task.
    public var isCancelled: Bool { state.withLock { $0.cancelled } }

    /// True once it was cancelled for good: nobody goes on from what is there of it. An element that is only ended here -
    /// its worker stops, or it stood still - is tried again.
    public var isGivenUp: Bool { state.withLock { $0.givenUp } }

    /// Whether nobody comes after this attempt, should it fail with what may pass: it was cancelled for good, or is the last
    /// try. Who is only ended here is tried again, whatever number its try has.
    public func isFinal(_ element: ElementSpec) -> Bool {
        state.withLock { $0.givenUp || element.last && !$0.cancelled }
    }

    private var isEnded: Bool { state.withLock { $0.ended } }

    /// How many of the entries one line takes, names escaped at their worst included.
    private static func fitting(_ entries: ArraySlice<ListingEntry>) -> Int {
        var bytes = 0
        var count = 0
        for entry in entries.prefix(BackendLine.mostEntries) {
            bytes += entry.name.utf8.count * 6 + 100
            if count > 0, bytes > BackendLine.longestEntries / 2 { break }
            count += 1
        }
        return count
    }
}

// The kit's side.
extension ElementReport {
    /// The element's operation starts now.
    func begin() { state.withLock { $0.began = .now } }

    func cancel(keep: Bool) {
        state.withLock { state in
            state.cancelled = true
            state.givenUp = state.givenUp || !keep
        }
        link?.end()
    }

    /// Answers what the other backend asked of the element's source.
    func answer(_ answer: SourceAnswer) async {
        await writer.write(BackendLine.answer(id: id, answer).line())
    }

    /// Ends the element, once: nil for every further call.
    func end(failure: BackendFailure?) -> (result: ElementResult, dropped: Int)? {
        state.withLock { state in
            guard !state.ended else { return nil }
            state.ended = true
            if let failure {
                state.result.errorClass = failure.errorClass
                state.result.reason = failure.reason
                state.result.returncode = failure.returncode == 0 ? 1 : failure.returncode
            }
            return (state.result, state.dropped)
        }
    }
}

extension Duration {
    /// As a floating-point number of seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
