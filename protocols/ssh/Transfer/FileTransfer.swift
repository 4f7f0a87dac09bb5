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
    /// How long what a copy leaves may take to be removed: a server that hangs must not keep a cancelled element.
    private static let patience = Duration.seconds(3)

    func run() async throws {
        let follow = options.symlinks == .follow
        let here = try await from.facts(source, follow: follow)
        let there = try await to.facts(target, follow: true)
        var plan = decide(here, there)
        if case .compareChecksums = plan, let here, let there {
            let (left, right) = (try await sum(from, source, here.size), try await sum(to, target, there.size))
            plan = decide(here, there, same: left == right)
            if left == right { report.checksum(left) }
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
            destinationPath: element.destination ?? target, sameContent: same)
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
            try? await Abandonable.run(limit: Self.patience) { try await to.discard(part) }
        }.value
    }

    private func write(_ facts: FileFacts, part: String) async throws {
        let writer = try await openPart(part)
        defer { writer.abandon() }
        let start = try await resumeOffset(writer, part, facts)
        if start == 0, writer.existing > 0 { try await writer.truncate() }
        if start > 0 { report.log("going on from byte \(start) of an earlier attempt") }
        let hash = options.verify == .checksum || stated != nil ? try StreamHash(.md5) : nil
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
            hash?.update(data)
            try await writer.write(data, at: offset)
            offset += data.count
            report.progress(transferred: offset, total: facts.size)
        }
        let after = try await reader.finish()
        if let after, after.size != facts.size || after.modified != facts.modified {
            throw BackendFailure(.interrupted, "\(element.source) changed while it was copied")
        }
        let size = try await writer.finish(facts)
        if options.verify != .none, size != facts.size {
            throw BackendFailure(.checksum, "\(size) bytes arrived of \(facts.size)")
        }
        if let hash {
            try await check(hash.finish(), part: part, size: facts.size)
        }
        report.transferred(facts.size)
    }

    /// The `md5:HEX` that the element says its content has.
    private var stated: String? {
        guard let sum = element.checksum?.lowercased(), sum.hasPrefix("md5:") else { return nil }
        return sum
    }

    /// Holds what was read against what the element says, and what arrived against both.
    private func check(_ read: String, part: String, size: Int) async throws {
        report.checksum(read)
        if let stated, stated != read {
            throw BackendFailure(.checksum, "\(element.source) has \(read), not \(stated)")
        }
        guard options.verify == .checksum else { return }
        let found = try await sum(to, part, size)
        guard found == read else {
            throw BackendFailure(.checksum, "\(read) was read, \(found) is at the destination")
        }
    }

    /// The part file; its directory is made where it is missing and may be.
    private func openPart(_ part: String) async throws -> any PartWriter {
        do {
            return try await to.openPart(part)
        } catch let failure as BackendFailure where failure.errorClass == .notFound && options.parents {
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

    private func sum(_ place: any Place, _ path: String, _ size: Int) async throws -> String {
        let hash = try StreamHash(.md5)
        var seen = 0
        try await read(place, path, 0, size) { data in
            hash.update(data)
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
