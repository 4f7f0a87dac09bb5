import Foundation
import HaulModel

extension FileCopying {
    private static var piece: Int { 1 << 20 }

    /// Compares what arrived with what was read, as `verify` and the element ask for, and looks whether the source is
    /// still what it was.
    /// - Parameters:
    ///   - read: The checksum of what was read of the source, where it was computed on the way.
    ///   - source: What the source is by now, where that is known.
    ///   - size: What arrived, where that is known.
    func check(
        _ move: CopyMove<Source, Target>, _ promise: Promise?, read: String?, source known: FileFacts?, size: Int?
    ) async throws {
        if let known, options.verify == .none || size != nil || move.target.traits.isStream {
            // Nothing is left to be looked at.
            try unchanged(move.facts, source.traits.isStream ? nil : known)
            if let size, options.verify != .none, !move.target.traits.isStream { try whole(move, size) }
        } else {
            async let found = arrived(move, size)
            let now = source.traits.isStream ? nil : try await latest(known)
            try unchanged(move.facts, now)
            if let arrived = try await found { try whole(move, arrived) }
        }
        if let algorithm = move.algorithm {
            report.checksum(try await checksums(move, promise, read: read, algorithm))
        }
        report.transferred(move.facts.size)
    }

    private func whole(_ move: CopyMove<Source, Target>, _ arrived: Int) throws {
        guard arrived != move.facts.size else { return }
        throw BackendFailure(.checksum, "\(arrived) bytes arrived for \(target.shown), not \(move.facts.size)")
    }

    private func latest(_ known: FileFacts?) async throws -> FileFacts? {
        if let known { return known }
        return try await source.facts(follow: follow) ?? { throw SourceChanged.gone(source.shown) }()
    }

    private func arrived(_ move: CopyMove<Source, Target>, _ size: Int?) async throws -> Int? {
        guard options.verify != .none, !move.target.traits.isStream else { return nil }
        if let size { return size }
        guard let found = try await move.target.facts(follow: false), found.kind == .file else {
            throw BackendFailure(.checksum, "nothing arrived for \(target.shown), where no failure was told")
        }
        return found.size
    }

    private func unchanged(_ facts: FileFacts, _ now: FileFacts?) throws {
        guard let now, !now.isStill(facts) else { return }
        throw SourceChanged.other(source.shown)
    }

    /// - Returns: The content's checksum, which all that were to be compared have.
    private func checksums(
        _ move: CopyMove<Source, Target>, _ promise: Promise?, read: String?, _ algorithm: StreamHash.Algorithm
    ) async throws -> String {
        guard options.verify == .checksum else {
            // The element's own alone: of what passed, or of what arrived.
            var sum = read
            if sum == nil { sum = try await cheapSum(move, algorithm) }
            if let sum, let promise { try keeps(promise, sum) }
            return sum ?? promise?.sum ?? ""
        }
        async let arrived = move.target.traits.isStream ? nil : arrivedSum(move, algorithm)
        let ours: String
        if let read { ours = read } else { ours = try await sum(source, move.facts, algorithm, follow: follow) }
        let theirs = try await arrived
        // Where the source is read or asked after the bytes went, it may have changed since.
        if read == nil, theirs.map({ $0 != ours }) ?? false || promise.map({ $0.sum != ours }) ?? false,
            !source.traits.isStream
        {
            try unchanged(move.facts, try await latest(nil))
        }
        if let promise { try keeps(promise, ours) }
        if let theirs, theirs != ours {
            throw BackendFailure(.checksum, "\(theirs) arrived for \(target.shown), not \(ours)")
        }
        return ours
    }

    func keeps(_ promise: Promise, _ sum: String) throws {
        guard promise.sum == sum else {
            throw BackendFailure(.checksum, "\(source.shown) has the checksum \(sum), not \(promise.sum)")
        }
    }

    /// Of what arrived; of its source only where nothing of what arrived can be read.
    private func cheapSum(_ move: CopyMove<Source, Target>, _ algorithm: StreamHash.Algorithm) async throws -> String {
        if move.target.traits.isStream { return try await sum(source, move.facts, algorithm, follow: follow) }
        return try await arrivedSum(move, algorithm)
    }

    /// Of the target, which has its source's size, and a version of its own.
    private func arrivedSum(
        _ move: CopyMove<Source, Target>, _ algorithm: StreamHash.Algorithm
    ) async throws -> String {
        try await sum(move.target, FileFacts(kind: .file, size: move.facts.size), algorithm, follow: false)
    }

    /// The hash to show all bytes that pass from `offset` on; it has seen those before it. Nil where none is wanted, or
    /// the source computes it itself.
    /// - Parameter seen: False where others moved some of the bytes: they passed nobody.
    func passing(_ move: CopyMove<Source, Target>, _ offset: Int, seen: Bool) async throws -> SideHash? {
        guard let algorithm = move.algorithm, seen else { return nil }
        let traits = source.traits
        // Where both ends are compared the source's own checksum will do; a promise is about what passes.
        if options.verify == .checksum, !traits.isNear, !traits.isStream, traits.checksums.contains(algorithm) {
            return nil
        }
        let hash = try SideHash(algorithm)
        guard offset > 0 else { return hash }
        // A part is what it is compared with where both ends are compared: it cannot vouch for the source.
        if options.verify != .checksum, !traits.isNear, move.target.traits.isNear {
            try await read(
                move.target, ReadOrder(facts: FileFacts(kind: .file, size: offset), to: offset), into: hash)
        } else {
            var order = move.readOrder
            order.to = offset
            try await read(source, order, into: hash)
        }
        return hash
    }

    /// The checksum of a whole file, had where it is, or read.
    func sum<End: CopyEnd>(
        _ end: End, _ facts: FileFacts, _ algorithm: StreamHash.Algorithm, follow: Bool
    ) async throws -> String {
        let order = ReadOrder(
            facts: facts, follow: follow, bandwidth: options.bandwidth, streams: options.streams, report: report)
        if let sum = try await end.checksum(algorithm, order) { return sum.lowercased() }
        let hash = try SideHash(algorithm)
        try await read(end, order, into: hash)
        return await hash.finish()
    }

    private func read<End: CopyEnd>(_ end: End, _ order: ReadOrder, into hash: SideHash) async throws {
        let reader = try await end.reader(order)
        defer { reader.abandon() }
        let pace = end.traits.isNear ? nil : pace
        try await withTaskCancellationHandler {
            var seen = order.from
            while let data = try await reader.next() {
                try Task.checkCancellation()
                var rest = data
                while !rest.isEmpty {
                    let piece = rest.prefix(pace?.piece ?? Self.piece)
                    rest = rest.dropFirst(piece.count)
                    try await pace?.admit(piece.count)
                    await hash.update(piece)
                    seen += piece.count
                    // Long for a large file, and no standstill.
                    report.progress(transferred: seen, total: order.facts.size)
                }
            }
            try Task.checkCancellation()
            if order.isToEnd { _ = try await reader.finish() }
        } onCancel: {
            reader.abandon()
        }
    }
}
