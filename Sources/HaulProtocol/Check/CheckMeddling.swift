import Foundation
import HaulModel
import Synchronization

/// A source that somebody writes to while it is read: the copy is `busy`, and nothing of it is left.
enum CheckMeddling {
    private static let bytes = 3 << 20
    /// So slow that it is seen under way.
    private static let slow: [String: JSONValue] = ["bandwidth": .int(bytes / 2)]

    static func run(_ site: CheckSite) async throws {
        let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 4) }
        let old = site.local("meddled-old")
        try Data(content).write(to: URL(fileURLWithPath: old))
        try Data(content.dropLast(5)).write(to: URL(fileURLWithPath: site.local("meddled-new")))
        defer { for name in ["old", "new"] { unlink(site.local("meddled-\(name)")) } }
        let operations = ([.put, .get, .copy] as [ProtocolOperation]).filter {
            site.target.discovered.manifest.operations[$0] != nil
        }
        let sources = try operations.map { operation in
            guard operation == .put else { return site.path("meddled/from-\(operation.rawValue)") }
            let file = site.local("meddled-put")
            try Data(content).write(to: URL(fileURLWithPath: file))
            return file
        }
        let elements = zip(operations, sources).filter { $0.0 != .put }.map {
            ElementSpec(id: $0.0.rawValue, source: old, destination: $0.1)
        }
        for answer in try await site.run(.put, elements) where !answer.result.isOK {
            throw CheckFailure("put: \(answer.result.reason ?? "")")
        }
        // All at once: each takes two seconds.
        let source = Dictionary(uniqueKeysWithValues: zip(operations, sources))
        try await site.each(operations) { try await check(site, $0, source[$0] ?? "") }
    }

    private static func check(_ site: CheckSite, _ operation: ProtocolOperation, _ source: String) async throws {
        let isGet = operation == .get
        let folder = isGet ? site.local("meddled-to") : site.path("meddled/to-\(operation.rawValue)")
        let element = ElementSpec(
            id: "m", source: source, destination: folder + "/file", partSeed: "check.meddled.\(operation.rawValue)")
        let meddled = Mutex<Result<Void, any Error>?>(nil)
        let answer = try await site.run(operation, [element], slow) { event, _ in
            guard case .progress(_, let progress) = event, progress.transferred > 0, progress.transferred < bytes,
                meddled.withLock({ $0 }) == nil
            else { return }
            let done = await change(site, operation, source)
            meddled.withLock { $0 = done }
        }[0]
        guard let done = meddled.withLock({ $0 }) else { throw CheckFailure("no progress is told in two seconds") }
        try done.get()
        if answer.result.isOK, try await isOldOne(site, operation, folder + "/file") {
            // Another file took its place; this one was read whole.
            if onDisk(site, operation, source) == nil { return }
        }
        guard answer.result.errorClass == .busy else {
            let found = answer.result.errorClass?.rawValue ?? "ok"
            throw CheckFailure("a source that changes is \(found) (\(answer.result.reason ?? "")), not busy")
        }
        let left =
            isGet
            ? (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            : try await site.one(.list, folder).chunks.flatMap(\.entries).map(\.name)
        try? FileManager.default.removeItem(atPath: site.local("meddled-to"))
        if !left.isEmpty { throw CheckFailure("a source that changed leaves \(left)") }
    }

    private static func isOldOne(
        _ site: CheckSite, _ operation: ProtocolOperation, _ path: String
    ) async throws -> Bool {
        let back = site.local("meddled-back-\(operation.rawValue)")
        defer { unlink(back) }
        if operation != .get { try await site.ok(.get, path, back) }
        return FileManager.default.contentsEqual(
            atPath: operation == .get ? path : back, andPath: site.local("meddled-old"))
    }

    /// Where the file can be written in its place.
    private static func onDisk(_ site: CheckSite, _ operation: ProtocolOperation, _ source: String) -> String? {
        if operation == .put { return source }
        let file = site.target.disk.map { $0 + source.dropFirst(site.target.base.count) }
        return file.flatMap { access($0, W_OK) == 0 ? $0 : nil }
    }

    /// Makes it shorter by some bytes.
    private static func change(
        _ site: CheckSite, _ operation: ProtocolOperation, _ source: String
    ) async -> Result<Void, any Error> {
        do {
            if let file = onDisk(site, operation, source) {
                guard truncate(file, off_t(bytes - 5)) == 0 else { throw CheckFailure("\(file) cannot be cut") }
            } else {
                try await site.ok(.put, site.local("meddled-new"), source, options: ["overwrite": "always"])
            }
            return .success(())
        } catch { return .failure(error) }
    }
}
