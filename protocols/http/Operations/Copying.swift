import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// COPY, GET and PUT of one file: look, write beside the final name, compare, rename.
struct Copying: Sendable {
    let curl: Curl
    let options: CommonOptions
    let element: ElementSpec
    let report: ElementReport

    private func mover(_ facts: FileFacts? = nil) -> Mover {
        Mover(curl: curl, modified: facts?.modified, report: report)
    }

    /// The checksum that the element came with, where it is of the kind that is computed here.
    private var promised: String? {
        element.checksum.map { $0.lowercased() }.flatMap { $0.hasPrefix("md5:") ? $0 : nil }
    }

    func run(_ source: Place, to target: Place) async throws {
        async let there = target.facts()
        async let found = source.facts()
        let (facts, old) = try await (found, there)
        guard let replace = try await plan(source, facts, target, old), let facts else { return }
        try await target.prepareParent(make: options.parents)
        if target.canRename {
            let part = target.sibling(
                try PartFile.name(seed: element.partSeed, size: facts.size, modified: facts.modified ?? 0))
            if try await copy(source, facts, through: part, to: target, replace: replace) { return }
            report.log("the server renames nothing (no MOVE): writing under the final name")
        }
        try await copyDirectly(source, facts, to: target, replace: replace)
    }

    /// What has to be done; nil for nothing.
    /// - Returns: Whether what is there gives way.
    private func plan(_ source: Place, _ found: FileFacts?, _ target: Place, _ old: FileFacts?) async throws -> Bool? {
        var same: Bool?
        while true {
            let plan = CopyPlan.decide(
                source: found, destination: old, options: options, sourcePath: source.shown,
                destinationPath: target.shown, sameContent: same, hasChecksum: promised != nil)
            switch plan {
            case .skip(let log):
                report.log(log)
                if let found { report.transferred(found.size) }
                return nil
            case .copy(let replace): return replace
            case .compareChecksums:
                let size = found?.size ?? 0
                async let there = mover().checksum(target, size: size)
                // What the element promises is enough; the source is read too where both ends are to be compared.
                let compared = options.verify == .checksum || promised == nil
                let ours = compared ? try await mover().checksum(source, size: size) : promised
                let theirs = try await there
                same = theirs == ours && (promised.map { $0 == theirs } ?? true)
                if same == true { report.checksum(theirs) }
            case .fail(let failure): throw failure
            }
        }
    }

    /// - Returns: False where the server cannot rename; nothing is left then.
    private func copy(
        _ source: Place, _ facts: FileFacts, through part: Place, to target: Place, replace: Bool
    ) async throws -> Bool {
        try await cleaningUp(part, keeps: canGoOn(part, facts)) {
            try await transfer(source, facts, to: part, parentOf: target)
            // Compared before the rename: what stands under the final name is whole.
            if try await part.rename(to: target, replace: replace) { return true }
            try await part.remove()
            return false
        }
    }

    private func transfer(_ source: Place, _ facts: FileFacts, to part: Place, parentOf target: Place) async throws {
        if try await copiedWithinServer(source, facts, to: part) { return }
        do {
            let sum = try await mover(facts).move(source, to: part, size: facts.size, hashed: wantsChecksum)
            try await verify(part, facts, read: sum)
        } catch let upload as UploadFailure where options.parents && [409, 500].contains(upload.status) {
            // Somebody removed the directory since it was seen: apache answers 409, nginx 500.
            guard case .remote(let server, _) = target else { throw upload.failure }
            await server.directories.forget()
            try await target.prepareParent(make: true)
            let sum = try await mover(facts).move(source, to: part, size: facts.size, hashed: wantsChecksum)
            try await verify(part, facts, read: sum)
        }
        if case .local(let file) = part, let modified = facts.modified { try await file.setModified(modified) }
    }

    private func copiedWithinServer(_ source: Place, _ facts: FileFacts, to part: Place) async throws -> Bool {
        guard !wantsChecksum, case .remote(let server, let from) = source, case .remote(let other, let to) = part,
            server.site.isSameServer(as: other.site), other.canCopy
        else { return false }
        // Through one site: the location of the source below the other's prefix need not exist.
        guard server.site.prefix == other.site.prefix else { return false }
        guard try await mover().copyWithin(other, from, to: to, size: facts.size) else {
            other.rememberNoCopy()
            return false
        }
        try await verify(part, facts, read: nil)
        report.log("copied within the server (COPY)")
        report.progress(transferred: facts.size, total: facts.size)
        return true
    }

    /// For a server that cannot rename: a failure must take what it wrote with it.
    private func copyDirectly(_ source: Place, _ facts: FileFacts, to target: Place, replace: Bool) async throws {
        do {
            try await cleaningUp(target) {
                let sum = try await mover(facts).move(
                    source, to: target, size: facts.size, hashed: wantsChecksum, onlyIfMissing: !replace)
                try await verify(target, facts, read: sum)
            }
        } catch let failure as BackendFailure where failure.errorClass == .exists {
            throw BackendFailure(.exists, "\(target.shown): something is there by now")
        }
    }

    private var wantsChecksum: Bool {
        options.verify == .checksum || promised != nil
    }

    /// Compares what was written with what was read.
    private func verify(_ written: Place, _ facts: FileFacts, read: String?) async throws {
        if let read {
            report.checksum(read)
            if let promised, promised != read {
                throw BackendFailure(.checksum, "\(element.source) has \(read), not \(promised)")
            }
        }
        guard options.verify != .none else { return }
        let found = try await written.facts()
        guard let found, found.kind == .file, found.size == facts.size else {
            let size = found.map { "\($0.size) bytes" } ?? "nothing"
            throw BackendFailure(.checksum, "\(size) arrived for \(element.destination ?? ""), not \(facts.size) bytes")
        }
        guard options.verify == .checksum, let read else { return }
        let arrived = try await mover().checksum(written, size: facts.size)
        guard arrived == read else {
            throw BackendFailure(.checksum, "\(arrived) arrived for \(element.destination ?? ""), not \(read)")
        }
    }

    /// Whether a later attempt goes on from what this one leaves: what streams onto this machine's disk.
    private func canGoOn(_ part: Place, _ facts: FileFacts) -> Bool {
        guard case .local = part else { return false }
        return facts.size > Curl.smallFile && facts.modified != nil && !element.last
    }

    /// Runs `body`; where it fails or is cancelled, removes what may have been written, and waits for that.
    /// - Parameter keeps: A failure that may pass leaves it for the next attempt.
    private func cleaningUp<Value: Sendable>(
        _ written: Place, keeps: Bool = false, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            if let upload = error as? UploadFailure, upload.wasRefused {
                // It wrote nothing, and what is there is not ours to remove.
                throw upload.failure
            }
            if keeps, !Task.isCancelled, (error as? BackendFailure)?.errorClass.isPermanent == false { throw error }
            // A task of its own, as this one may be cancelled; not for long, as nobody may wait for it.
            await Task {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { try? await written.remove() }
                    group.addTask { try? await Task.sleep(for: .seconds(3)) }
                    await group.next()
                    group.cancelAll()
                }
            }.value
            throw (error as? UploadFailure)?.failure ?? error
        }
    }
}
