import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// Sends the parts of a file that an upload does not have yet, several at a time.
///
/// A file of this machine's that nobody computes a checksum of is read at several places. Any other is read once, in order;
/// what was read of it waits in memory until the server has it, as far as there is room (``Limits/partMemory``). Where there
/// is none its parts go one after the other, as they are read.
struct PartSending<Source: CopyEnd>: Sendable {
    /// How many times a part is sent that the server is too busy for, or that breaks off.
    private static var tries: Int { 4 }

    /// What became of all parts.
    struct Sent {
        /// Of the whole, where it was wanted.
        var sum: String?
        /// The bytes that it is of are those that the server has.
        var isProven = false
        /// What the source is by now, where that is known.
        var source: FileFacts?
    }

    private typealias Part = (number: Int, range: Range<Int>)
    /// Hands a part's bytes over, from its first on.
    private typealias Bytes = @Sendable ((Data) async throws -> Void) async throws -> Void

    let move: CopyMove<Source, S3End>
    let cut: PartCut
    let upload: MultipartUpload
    let progress: PartProgress

    private var bucket: Bucket { move.target.bucket }
    private var streams: Int { bucket.limits.streams(asked: move.streams) }

    /// - Parameter kept: What the server has.
    func run(_ kept: [MultipartUpload.Part]) async throws -> Sent {
        let there = Dictionary(kept.map { ($0.number, $0) }) { first, _ in first }
        let parts = cut.ranges.enumerated().map { (number: $0.offset + 1, range: $0.element) }
        if move.algorithm == nil, move.source.traits.isNear, move.bandwidth == nil {
            try await Lanes.run(parts.filter { there[$0.number] == nil }, atOnce: streams) { part in
                let reading = try PartSource(move.source, move.readOrder)
                defer { reading.abandon() }
                try await send(part, of: reading)
            }
            return Sent()
        }
        let reading = try PartSource(move.source, move.readOrder, hashing: move.algorithm)
        defer { reading.abandon() }
        try await inOrder(parts, there, reading)
        let now = try await reading.finish()
        let isProven = await !reading.wasReread && progress.isProven
        return Sent(sum: await reading.sum(), isProven: isProven, source: now)
    }

    private func inOrder(
        _ parts: [Part], _ there: [Int: MultipartUpload.Part], _ reading: PartSource<Source>
    ) async throws {
        let failed = FirstError()
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            do {
                for part in parts {
                    if let kept = there[part.number] {
                        // Where all of it has to be read, all is compared.
                        if move.algorithm == nil { continue }
                        if try await reading.isSame(kept, part.range, move.report) == true { continue }
                        progress.add(-kept.size)
                    }
                    var room = running < streams ? room(for: part) : nil
                    while room == nil, running > 0 {
                        await group.next()
                        running -= 1
                        room = self.room(for: part)
                    }
                    if failed.error != nil { break }
                    guard let room else {
                        try await send(part, of: reading)
                        continue
                    }
                    let kept = KeptPart(room)
                    running += 1
                    group.addTask {
                        defer { kept.free() }
                        do { try await send(part) { try await kept.each($0) } } catch {
                            failed.note(error)
                            // Nothing more is wanted of it.
                            reading.abandon()
                        }
                    }
                    do { try await reading.each(part.range, isMoved: true) { kept.add($0) } } catch {
                        failed.note(error)
                        kept.cut()
                        throw error
                    }
                    kept.end()
                }
            } catch {
                failed.note(error)
            }
            // Those that were read are there for the next attempt.
            await group.waitForAll()
        }
        if let error = failed.error { throw error }
    }

    /// None where bytes keep to a rate: what is sent again is read again, as it was read.
    private func room(for part: Part) -> Room.Share? {
        streams > 1 && move.bandwidth == nil ? bucket.partMemory.share(part.range.count) : nil
    }

    private func send(_ part: Part, of reading: PartSource<Source>) async throws {
        try await send(part) { try await reading.each(part.range, isMoved: true, $0) }
    }

    private func send(_ part: Part, _ bytes: Bytes) async throws {
        var refusal: ObjectStream.Refused?
        for attempt in 1... {
            do {
                return try await once(part, bytes)
            } catch let refused as ObjectStream.Refused where refused.passes && attempt < Self.tries {
                move.report.log("part \(part.number) is sent again: \(refused.failure.reason)")
                refusal = refused
                try await Task.sleep(for: .seconds(0.2 * Double(attempt * attempt) * Double.random(in: 0.7...1.3)))
            } catch let error as CopyNotResumable {
                throw refusal ?? error
            }
        }
    }

    private func once(_ part: Part, _ bytes: Bytes) async throws {
        let stream = try await ObjectStream.start(
            bucket, upload.key, query: [("partNumber", "\(part.number)"), ("uploadId", upload.id)],
            length: part.range.count, what: "PUT \(move.target.shown), part \(part.number)")
        let sent = Mutex(0)
        do {
            try await withTaskCancellationHandler {
                try await bytes { data in
                    try await stream.write(data)
                    sent.withLock { $0 += data.count }
                    progress.add(data.count)
                }
                let arrived = try await stream.finish()
                progress.done(
                    .init(number: part.number, etag: arrived.etag, size: part.range.count),
                    isProven: arrived.isProven)
            } onCancel: {
                stream.abort()
            }
        } catch {
            stream.abort()
            await stream.ended()
            progress.add(-sent.withLock { $0 })
            try Task.checkCancellation()
            throw error
        }
    }
}

/// Why several things that fail for one another's sake failed.
private final class FirstError: Sendable {
    private let first = Mutex<(any Error)?>(nil)

    var error: (any Error)? { first.withLock { $0 } }
    func note(_ error: any Error) { first.withLock { $0 = $0 ?? error } }
}
