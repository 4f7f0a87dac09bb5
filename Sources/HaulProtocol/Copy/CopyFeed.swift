import Foundation
import Synchronization

/// A reader whose bytes can be taken in given amounts; what is left over comes next. For one task at a time, but for
/// ``abandon()``.
final class CopyFeed: Sendable {
    private let reader: any CopyReader
    private let left = Mutex(Data())

    /// What another backend sends through a pipe, where none of it was taken yet.
    var piped: AskedReader? { left.withLock { $0.isEmpty } ? reader as? AskedReader : nil }

    init(_ reader: any CopyReader) { self.reader = reader }

    /// The next bytes, however many; nil at the end.
    func next() async throws -> Data? {
        let kept = left.withLock { left in
            defer { left = Data() }
            return left
        }
        return kept.isEmpty ? try await reader.next() : kept
    }

    /// The next bytes, exactly so many, or fewer at the end.
    func take(_ count: Int) async throws -> Data {
        var taken = Data()
        while taken.count < count, let data = try await next() { taken.append(data) }
        let rest = Data(taken.dropFirst(count))
        left.withLock { $0 = rest }
        return Data(taken.prefix(count))
    }

    func finish() async throws -> FileFacts? { try await reader.finish() }

    func abandon() { reader.abandon() }
}
