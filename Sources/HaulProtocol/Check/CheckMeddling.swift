import Foundation
import HaulModel
import Synchronization

/// A source that somebody writes to while it is read: the copy is `busy`, and nothing of it is left.
enum CheckMeddling {
    /// What becomes of it.
    private enum Change: String, CaseIterable {
        case shorter, longer
        /// As long as before.
        case other
    }

    /// How its bytes go.
    private enum Way: Hashable {
        case operation(ProtocolOperation)
        /// To a backend of its own, through a pipe.
        case stream

        var name: String { if case .operation(let operation) = self { operation.rawValue } else { "stream" } }
    }

    private struct Trial: Hashable {
        var way: Way
        var change: Change
        var name: String { "\(way.name)-\(change.rawValue)" }
    }

    private static let bytes = 3 << 20
    private static let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 4) }
    /// So slow that it is seen under way.
    private static let slow: [String: JSONValue] = ["bandwidth": .int(bytes / 2)]

    static func run(_ site: CheckSite) async throws {
        let old = site.local("meddled-old")
        try write(content, to: old)
        defer { unlink(old) }
        let operations = site.target.discovered.manifest.operations
        var ways = ([.put, .get, .copy] as [ProtocolOperation]).filter { operations[$0] != nil }.map(Way.operation)
        if operations[.get]?.stream == true, operations[.put]?.stream == true { ways.append(.stream) }
        let trials = ways.flatMap { way in Change.allCases.map { Trial(way: way, change: $0) } }
        for trial in trials where trial.way == .operation(.put) { try write(content, to: source(site, trial)) }
        let elements = trials.filter { $0.way != .operation(.put) }.map {
            ElementSpec(id: $0.name, source: old, destination: source(site, $0))
        }
        for answer in try await site.run(.put, elements) where !answer.result.isOK {
            throw CheckFailure("put: \(answer.result.reason ?? "")")
        }
        // All at once: each takes two seconds.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for trial in trials {
                group.addTask {
                    do { try await check(site, trial) } catch { throw CheckFailure("\(trial.name): \(error)") }
                }
            }
            try await group.waitForAll()
        }
    }

    /// With a time long past: it is not the one at which it is changed.
    private static func write(_ content: [UInt8], to path: String) throws {
        try Data(content).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
    }

    private static func source(_ site: CheckSite, _ trial: Trial) -> String {
        trial.way == .operation(.put)
            ? site.local("meddled-\(trial.name)") : site.path("meddled/from-\(trial.name)")
    }

    private static func check(_ site: CheckSite, _ trial: Trial) async throws {
        let isGet = trial.way == .operation(.get)
        let folder = isGet ? site.local("meddled-to-\(trial.name)") : site.path("meddled/to-\(trial.name)")
        defer { try? FileManager.default.removeItem(atPath: site.local("meddled-to-\(trial.name)")) }
        let meddled = Mutex<Result<Void, any Error>?>(nil)
        let change: @Sendable () async -> Void = {
            let done = await make(site, trial)
            meddled.withLock { $0 = done }
        }
        let result: ElementResult?
        switch trial.way {
        case .operation(let operation):
            let element = ElementSpec(
                id: "m", source: source(site, trial), destination: folder + "/file",
                partSeed: "check.meddled.\(trial.name)")
            result = try await site.run(operation, [element], slow) { event, _ in
                guard case .progress(_, let progress) = event, progress.transferred > 0, progress.transferred < bytes,
                    meddled.withLock({ $0 }) == nil
                else { return }
                await change()
            }[0].result
        case .stream:
            result = try await CheckRelay.run(
                site, "meddled/from-\(trial.name)", "meddled/to-\(trial.name)/file", slow, meanwhile: change
            ).result
        }
        guard let done = meddled.withLock({ $0 }) else { throw CheckFailure("no progress is told in two seconds") }
        try done.get()
        if result?.isOK == true, try await isOldOne(site, trial, folder + "/file") {
            // Another file took its place; this one was read whole.
            if onDisk(site, trial) == nil { return }
        }
        guard result?.errorClass == .busy else {
            let found = result?.errorClass?.rawValue ?? "ok"
            throw CheckFailure("a source that changes is \(found) (\(result?.reason ?? "")), not busy")
        }
        let left =
            isGet
            ? (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            : try await site.one(.list, folder).chunks.flatMap(\.entries).map(\.name)
        if !left.isEmpty { throw CheckFailure("a source that changed leaves \(left)") }
    }

    private static func isOldOne(_ site: CheckSite, _ trial: Trial, _ path: String) async throws -> Bool {
        let isGet = trial.way == .operation(.get)
        let back = site.local("meddled-back-\(trial.name)")
        defer { unlink(back) }
        if !isGet { try await site.ok(.get, path, back) }
        return FileManager.default.contentsEqual(atPath: isGet ? path : back, andPath: site.local("meddled-old"))
    }

    /// Where the file can be written in its place.
    private static func onDisk(_ site: CheckSite, _ trial: Trial) -> String? {
        let source = source(site, trial)
        if trial.way == .operation(.put) { return source }
        return site.onDisk(source).flatMap { access($0, W_OK) == 0 ? $0 : nil }
    }

    private static func make(_ site: CheckSite, _ trial: Trial) async -> Result<Void, any Error> {
        do {
            if let file = onDisk(site, trial) {
                try change(file, trial.change)
            } else {
                let new = site.local("meddled-new-\(trial.name)")
                defer { unlink(new) }
                try write(content, to: new)
                try change(new, trial.change)
                try await site.ok(.put, new, source(site, trial), options: ["overwrite": "always"])
            }
            return .success(())
        } catch { return .failure(error) }
    }

    /// In its place: who has it open sees it.
    private static func change(_ file: String, _ change: Change) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        switch change {
        case .shorter: try handle.truncate(atOffset: UInt64(bytes - 5))
        case .longer:
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("more\n".utf8))
        case .other:
            try handle.seek(toOffset: UInt64(bytes - 5))
            try handle.write(contentsOf: Data("other".utf8))
            // Some sites know whole seconds alone: what is written in the second of the first look can't be seen there.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: 2)], ofItemAtPath: file)
        }
    }
}
