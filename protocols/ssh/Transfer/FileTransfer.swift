import Foundation
import HaulModel
import HaulProtocol

/// One file from one place to another: into a part file, which is checked and then gets the final name.
struct FileTransfer {
    let element: ElementSpec
    let options: CommonOptions
    let report: ElementReport
    let source: String
    let from: any Place
    let target: String
    let to: any Place

    /// Bytes at the end of an old part that are compared with the source before it is gone on from.
    private static let tail = 256 << 10
    /// Bytes that a server copies within itself at a time.
    private static let piece = 16 << 20

    func run() async throws {
        let follow = options.symlinks == .follow
        let here = try await from.facts(source, follow: follow)
        let there = try await to.facts(target, follow: true)
        var plan = decide(here, there)
        if case .compareChecksums = plan, let here, let there {
            let right = try await sum(to, target, there.size, algorithm ?? .md5)
            // What the element promises is enough; the source is read too where both ends are to be compared.
            let compared = options.verify == .checksum || promised == nil
            let left = compared ? try await sum(from, source, here.size, algorithm ?? .md5) : right
            let same = left == right && (promised.map { $0 == right } ?? true)
            plan = decide(here, there, same: same)
            if same { report.checksum(right) }
        }
        switch plan {
        case .fail(let failure): throw failure
        case .skip(let log):
            report.log(log)
            report.transferred(0)
        case .compareChecksums: throw BackendFailure(.backend, "checksums could not be compared")
        case .copy(let replace):
            guard let here else { throw BackendFailure(.notFound, "\(source) does not exist") }
            try await copy(here, replace: replace)
        }
    }

    private func decide(_ here: FileFacts?, _ there: FileFacts?, same: Bool? = nil) -> CopyPlan {
        CopyPlan.decide(
            source: here, destination: there, options: options, sourcePath: element.source,
            destinationPath: element.destination ?? target, sameContent: same, hasChecksum: promised != nil)
    }

    private func copy(_ facts: FileFacts, replace: Bool) async throws {
        let name = try PartFile.name(seed: element.partSeed, size: facts.size, modified: facts.modified ?? 0)
        let part = ListingPath.child(ListingPath.parent(target).directory, name)
        do {
            try await write(facts, part: part)
            try await to.publish(part, as: target, replace: replace)
        } catch {
            // A later attempt goes on from the part; nobody does when there is none.
            if isFinal(error) { await discard(part) }
            throw error
        }
        report.log("copied \(facts.size) bytes to \(element.destination ?? target)")
    }

    private func isFinal(_ error: any Error) -> Bool {
        if Task.isCancelled || element.last { return true }
        return (error as? BackendFailure)?.errorClass.isPermanent ?? false
    }

    /// Runs in a task of its own: what cancels the copy must not keep its remains from being removed.
    private func discard(_ part: String) async {
        await Task { [to] in
            // A server that hangs keeps its part, not the element.
            try? await Abandonable.run(limit: .seconds(3)) { try await to.discard(part) }
        }.value
    }

    private func write(_ facts: FileFacts, part: String) async throws {
        let writer = try await openPart(part)
        defer { writer.abandon() }
        let start = try await resumeOffset(writer, part, facts)
        if start == 0, writer.existing > 0 { try await writer.truncate() }
        if start > 0 { report.log("going on from byte \(start) of an earlier attempt") }
        let within = try await copyWithin(writer, from: start, to: facts.size)
        let sum = within ? try await sumOfSource(facts) : try await stream(facts, from: start, to: writer)
        let size = try await writer.finish(facts)
        if options.verify != .none, size != facts.size {
            throw BackendFailure(.checksum, "\(size) bytes arrived of \(facts.size)")
        }
        if let sum { try await check(sum, part, size) }
        report.transferred(facts.size)
    }

    /// Moves the bytes from `start` on; returns the checksum of the whole source where one is asked for.
    private func stream(_ facts: FileFacts, from start: Int, to writer: any PartWriter) async throws -> String? {
        let hash = try algorithm.map { try StreamHash($0) }
        if let hash, start > 0 {
            var seen = 0
            try await read(from, source, 0, start) { data in
                hash.update(data)
                seen += data.count
                // Long for a large part, and no standstill.
                report.progress(transferred: seen, total: facts.size)
            }
        }
        let reader = try await from.reader(source, from: start, to: facts.size)
        defer { reader.abandon() }
        var offset = start
        while let data = try await reader.next() {
            try Task.checkCancellation()
            if let hash { data.withUnsafeBytes { hash.update($0) } }
            try await writer.write(data, at: offset)
            offset += data.count
            report.progress(transferred: offset, total: facts.size)
        }
        try unchanged(facts, try await reader.finish())
        return hash?.finish()
    }

    /// Has the server copy within itself (`copy-data`), where one of its connections has both ends; false where not.
    private func copyWithin(_ writer: any PartWriter, from start: Int, to end: Int) async throws -> Bool {
        guard let place = from as? RemotePlace, let part = writer as? RemotePart, part.client === place.client,
            part.client.offers(.copyData)
        else { return false }
        let handle = try await place.openForReading(source)
        defer { place.client.closeLater(handle) }
        report.log("the server copies within itself")
        var offset = start
        while offset < end {
            // In pieces: a server does nothing else while it copies one, and a cancel waits for two.
            let count = min(Self.piece, end - offset)
            try await part.copy(from: handle, offset: offset, count: count)
            offset += count
            report.progress(transferred: offset, total: end)
        }
        try await part.settle()
        return true
    }

    private func sumOfSource(_ facts: FileFacts) async throws -> String? {
        try unchanged(facts, try await from.facts(source, follow: true))
        guard let algorithm else { return nil }
        return try await sum(from, source, facts.size, algorithm)
    }

    private func unchanged(_ facts: FileFacts, _ now: FileFacts?) throws {
        if let now, now.size != facts.size || now.modified != facts.modified {
            throw BackendFailure(.interrupted, "\(element.source) changed while it was copied")
        }
    }

    /// The checksum that the element came with, where it is of a kind that can be computed here.
    private var promised: String? {
        guard let given = element.checksum?.lowercased(),
            StreamHash.Algorithm(rawValue: String(given.prefix { $0 != ":" })) != nil
        else { return nil }
        return given
    }

    /// What the content is hashed with: as the checksum that the element came with, or md5; nil for nothing asked.
    private var algorithm: StreamHash.Algorithm? {
        if let given = element.checksum {
            return .init(rawValue: String(given.prefix { $0 != ":" }).lowercased()) ?? .md5
        }
        return options.verify == .checksum ? .md5 : nil
    }

    /// Compares what was read with what the element promised, and with what arrived.
    private func check(_ sum: String, _ part: String, _ size: Int) async throws {
        if let promised, promised != sum {
            throw BackendFailure(.checksum, "\(element.source) has the checksum \(sum), not \(promised)")
        }
        if options.verify == .checksum, let algorithm {
            let found = try await self.sum(to, part, size, algorithm)
            guard found == sum else {
                throw BackendFailure(.checksum, "\(sum) was read, \(found) is at the destination")
            }
        }
        report.checksum(sum)
    }

    /// The part file; its directory is made where it is missing and may be.
    private func openPart(_ part: String) async throws -> any PartWriter {
        do {
            return try await to.openPart(part)
        } catch let failure as BackendFailure where failure.errorClass == .notFound {
            guard options.parents else {
                throw BackendFailure(.notFound, "the directory of \(element.destination ?? target) does not exist")
            }
            try await to.makeParents(of: part)
            return try await to.openPart(part)
        }
    }

    /// Where to go on: an old part counts if its end is the source's at that place.
    private func resumeOffset(_ writer: any PartWriter, _ part: String, _ facts: FileFacts) async throws -> Int {
        let offset = PartFile.resumeOffset(part: writer.existing, source: facts.size)
        guard offset > 0 else { return 0 }
        let start = max(0, offset - Self.tail)
        var old = Data()
        var new = Data()
        try await read(to, part, start, offset) { old.append($0) }
        try await read(from, source, start, offset) { new.append($0) }
        return old == new ? offset : 0
    }

    private func sum(_ place: any Place, _ path: String, _ size: Int, _ algorithm: StreamHash.Algorithm = .md5)
        async throws -> String
    {
        let hash = try StreamHash(algorithm)
        var seen = 0
        try await read(place, path, 0, size) { data in
            data.withUnsafeBytes { hash.update($0) }
            seen += data.count
            // A long comparison is no standstill.
            report.progress(transferred: seen, total: size)
        }
        return hash.finish()
    }

    private func read(
        _ place: any Place, _ path: String, _ start: Int, _ end: Int, _ body: (Data) -> Void
    ) async throws {
        let reader = try await place.reader(path, from: start, to: end)
        defer { reader.abandon() }
        while let data = try await reader.next() {
            try Task.checkCancellation()
            body(data)
        }
    }
}
