import Foundation
import HaulModel

extension FileCopying {
    /// Bytes at the end of an old part that are compared with the source before it is gone on from.
    private static var tail: Int { 256 << 10 }

    /// Writes the file and compares it with its source.
    /// - Throws: ``Trouble``.
    func write(_ move: CopyMove<Source, Target>, _ promise: Promise?) async throws {
        for mover in movers where options.bandwidth == nil || mover.paces {
            guard case .whole(let body) = mover.way else { continue }
            if try await write(move, promise, by: mover, body) { return }
        }
        let writer: any CopyWriter
        do { writer = try await move.target.writer(move.writeOrder) } catch { throw Trouble(error, usual(move)) }
        do {
            try await withTaskCancellationHandler {
                try await write(move, promise, through: writer)
            } onCancel: {
                writer.abandon()
            }
        } catch {
            writer.abandon()
            // Nothing of it arrives behind the back of whoever cleans up.
            await writer.ended()
            throw error is Trouble ? error : Trouble(error, usual(move))
        }
    }

    /// - Returns: False where the mover declines.
    private func write(
        _ move: CopyMove<Source, Target>, _ promise: Promise?, by mover: CopyMover<Source, Target>,
        _ body: @Sendable (CopyMove<Source, Target>) async throws -> CopyMoved?
    ) async throws -> Bool {
        var move = move
        let left = mover.resumes ? usual(move) : move.publication == .whole ? .nothing : .waste
        do {
            if mover.resumes, move.publication == .rename {
                let existing = try await move.target.facts(follow: false)?.size
                move.offset = try await resumption(move, existing ?? 0, goingOn: false).offset
            }
            guard let moved = try await body(move) else { return false }
            if !mover.name.isEmpty { report.log(mover.name) }
            report.progress(transferred: move.facts.size, total: move.facts.size)
            let now = try await move.target.settle(move.facts)
            do {
                try await check(move, promise, read: moved.checksum, source: moved.source, size: now?.size)
            } catch {
                throw Trouble(error, afterChecking(move, error, else: left))
            }
            return true
        } catch {
            throw error is Trouble ? error : Trouble(error, left)
        }
    }

    private func write(
        _ move: CopyMove<Source, Target>, _ promise: Promise?, through writer: any CopyWriter
    ) async throws {
        var move = move
        let bodies = movers.compactMap { mover in
            if case .into(let body) = mover.way, options.bandwidth == nil || mover.paces { (mover, body) } else { nil }
        }
        // For a checksum of the whole the source may have to be read from its beginning first.
        var (offset, feed) = try await resumption(
            move, writer.existing, goingOn: bodies.isEmpty && move.algorithm == nil)
        defer { feed?.abandon() }
        if writer.existing > offset { try await writer.cut(to: offset) }
        move.offset = offset
        report.progress(transferred: offset, total: move.facts.size)
        var moved: CopyMoved?
        for (mover, body) in bodies where moved == nil {
            moved = try await body(move, writer)
            if moved != nil, !mover.name.isEmpty { report.log(mover.name) }
        }
        if moved != nil { offset = moved?.offset ?? move.facts.size }
        var read = moved?.checksum
        var now = moved?.source
        if moved == nil || offset < move.facts.size {
            let hash = try await passing(move, offset, seen: moved == nil)
            if offset > 0, offset == move.facts.size, feed == nil {
                // All of it is there: no end answers from behind the last byte.
                read = await hash?.finish()
            } else {
                (now, read) = try await pump(move, from: offset, feed, hash, to: writer)
                feed = nil
            }
        }
        // Before the end: where the writer publishes by itself, what is wrong never appears.
        if let promise, let read { try keeps(promise, read) }
        let size = try await writer.finish(move.facts)
        do {
            try await check(move, promise, read: read, source: now, size: size)
        } catch {
            // Its writer is done: now it is there to be removed.
            throw Trouble(error, afterChecking(move, error, else: usual(move)))
        }
    }

    /// Where to go on: an old part counts if its end is the source's at that place; all of it, where reading is cheap.
    /// - Parameter goingOn: Wants the source's bytes from there on, too.
    private func resumption(
        _ move: CopyMove<Source, Target>, _ existing: Int, goingOn: Bool
    ) async throws -> (offset: Int, feed: CopyFeed?) {
        let there = PartFile.resumeOffset(part: existing, source: move.facts.size)
        let offset = max(0, there - move.target.traits.unsure)
        guard offset > 0, move.facts.modified != nil, !move.source.traits.isStream, !move.target.traits.isStream else {
            return (0, nil)
        }
        let isCheap = move.source.traits.isNear && move.target.traits.isNear
        let start = isCheap ? 0 : max(0, offset - Self.tail)
        var order = move.readOrder
        (order.from, order.to) = (start, goingOn ? move.facts.size : offset)
        do {
            let feed = CopyFeed(try await move.source.reader(order))
            let old = ReadOrder(facts: FileFacts(kind: .file, size: existing), from: start, to: offset)
            if try await agree(feed, old, of: move.target) {
                report.log("going on from byte \(offset) of an earlier attempt")
                if goingOn { return (offset, feed) }
                feed.abandon()
                return (offset, nil)
            }
            feed.abandon()
            report.log("the part of an earlier attempt is no beginning of \(source.shown): starting over")
        } catch is CopyNotResumable {
            report.log("there is no rest of \(source.shown) to be had, or it changed: starting over")
        }
        return (0, nil)
    }

    private func agree(_ feed: CopyFeed, _ order: ReadOrder, of part: Target) async throws -> Bool {
        try await withTaskCancellationHandler {
            do {
                let old = CopyFeed(try await part.reader(order))
                defer { old.abandon() }
                var seen = order.from
                while seen < order.to {
                    try Task.checkCancellation()
                    let count = min(1 << 20, order.to - seen)
                    // What is read of the source moves, whatever it is read for.
                    try await pace?.admit(source.traits.isNear ? 0 : count)
                    let (one, other) = (try await feed.take(count), try await old.take(count))
                    guard one.count == count, one == other else { return false }
                    seen += count
                    // Long for a large part, and no standstill.
                    if order.from == 0 { report.progress(transferred: seen) }
                }
                return true
            } catch {
                feed.abandon()
                throw error
            }
        } onCancel: {
            feed.abandon()
        }
    }

    /// Moves the bytes from `offset` on through this process.
    /// - Returns: What the source is by now, where its reader says, and the checksum of all of it, where asked for.
    private func pump(
        _ move: CopyMove<Source, Target>, from offset: Int, _ begun: CopyFeed?, _ hash: SideHash?,
        to writer: any CopyWriter
    ) async throws -> (FileFacts?, String?) {
        var order = move.readOrder
        order.from = offset
        let feed: CopyFeed
        if let begun { feed = begun } else { feed = CopyFeed(try await move.source.reader(order)) }
        defer { feed.abandon() }
        return try await withTaskCancellationHandler {
            var offset = offset
            let isUnseen = hash == nil && pace == nil && move.facts.size - offset >= worthPiping
            if isUnseen, let source = feed.piped, let writer = writer as? any PipedWriter {
                while let (pipe, count) = try await source.there() {
                    try await writer.write(count, from: pipe, at: offset)
                    source.took(count)
                    offset += count
                    report.progress(transferred: offset, total: move.facts.size)
                }
            }
            while let data = try await feed.next() {
                try Task.checkCancellation()
                guard offset + data.count <= move.facts.size else {
                    throw SourceChanged(failure: .init(.busy, "\(source.shown) grew while it was copied"))
                }
                var rest = data
                while !rest.isEmpty {
                    let piece = rest.prefix(pace?.piece ?? rest.count)
                    rest = rest.dropFirst(piece.count)
                    try await pace?.admit(piece.count)
                    await hash?.update(piece)
                    try await writer.write(piece, at: offset)
                    offset += piece.count
                    report.progress(transferred: offset, total: move.facts.size)
                }
            }
            try Task.checkCancellation()
            guard offset == move.facts.size else {
                throw BackendFailure(
                    .interrupted, "\(source.shown) ended after \(offset) of \(move.facts.size) bytes")
            }
            return (try await feed.finish(), await hash?.finish())
        } onCancel: {
            feed.abandon()
            writer.abandon()
        }
    }
}
