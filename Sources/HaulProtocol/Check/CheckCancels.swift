import Foundation
import HaulModel
import Synchronization

/// Cancels of all that takes its time, and of what is not there.
enum CheckCancels {
    /// More than a writer has on its way at a time.
    private static let bytes = 16 << 20
    private static let slow: [String: JSONValue] = ["bandwidth": .int(bytes / 4)]

    /// One of two is cancelled: it ends soon and leaves nothing, the other arrives.
    static func transfers(_ site: CheckSite) async throws {
        let file = site.local("cancelled")
        try Data((0..<bytes).map { UInt8(truncatingIfNeeded: $0 >> 5) }).write(to: URL(fileURLWithPath: file))
        defer { unlink(file) }
        try await site.ok(.put, file, site.path("cancels/large"))
        try await CheckCopies.put(site, Array("small".utf8), "cancels/small")
        try await site.each([.get, .copy, .put]) { try await $0 == .put ? kept(site, file) : one(site, $0) }
    }

    private static func one(_ site: CheckSite, _ operation: ProtocolOperation) async throws {
        let isGet = operation == .get
        let folder = isGet ? site.local("cancelled-to") : site.path("cancels/to")
        defer { if isGet { try? FileManager.default.removeItem(atPath: folder) } }
        let elements = ["large", "small"].map {
            ElementSpec(
                id: $0, source: site.path("cancels/\($0)"), destination: "\(folder)/\($0)",
                partSeed: "check.cancels.\(operation.rawValue).\($0)")
        }
        let answers = try await cancelled(site, operation, elements, slow) { event, run in
            guard case .progress("large", let progress) = event, progress.transferred > 0 else { return false }
            await run.cancel("large")
            return true
        }
        guard answers[0].result.errorClass == .interrupted else {
            throw CheckFailure(
                "what is cancelled is \(answers[0].result.errorClass?.rawValue ?? "ok"), not interrupted")
        }
        guard answers[1].result.isOK else {
            throw CheckFailure("the neighbour of what is cancelled: \(answers[1].result.reason ?? "")")
        }
        let left =
            isGet
            ? try FileManager.default.contentsOfDirectory(atPath: folder) : try await site.tree(folder).keys.sorted()
        if left != ["small"] { throw CheckFailure("\(left) are left") }
    }

    /// With `keep` the part stays, where there are any, and the next attempt goes on from it.
    private static func kept(_ site: CheckSite, _ file: String) async throws {
        let element = ElementSpec(
            id: "k", source: file, destination: site.path("kept/file"), partSeed: "check.cancels.kept")
        let first = try await cancelled(site, .put, [element], slow) { event, run in
            guard case .progress(_, let progress) = event, progress.transferred > bytes / 2 else { return false }
            await run.cancel("k", keep: true)
            return true
        }[0]
        guard first.result.errorClass == .interrupted else {
            throw CheckFailure(
                "what is cancelled is \(first.result.errorClass?.rawValue ?? "ok"), not interrupted")
        }
        let left = try await site.one(.list, site.path("kept")).chunks.flatMap(\.entries)
        if left.contains(where: { $0.name == "file" }) {
            throw CheckFailure("what is cancelled stands under its final name")
        }
        let isLeft = left.contains { $0.name.hasPrefix(PartFile.prefix) && $0.size > 0 }
        var again = element
        (again.attempt, again.last) = (2, true)
        let second = try await site.run(.put, [again])[0]
        guard second.result.isOK else { throw CheckFailure("the next attempt: \(second.result.reason ?? "")") }
        if isLeft, site.target.discovered.manifest.operations[.put]?.resume == true,
            !second.log.contains("going on from byte")
        {
            throw CheckFailure("a part that was kept is not gone on from: \(second.log)")
        }
        try await CheckContent.expect(site, "kept/file", like: file)
        try await site.noParts(site.path("kept"))
    }

    /// A listing that nobody wants any more.
    static func list(_ site: CheckSite) async throws {
        let answer = try await cancelled(site, .list, [ElementSpec(id: "l", source: site.top)], [:]) { event, run in
            guard case .entries = event else { return false }
            await run.cancel("l")
            return true
        }[0]
        if let found = answer.result.errorClass, found != .interrupted {
            throw CheckFailure("what is cancelled is \(found.rawValue), not interrupted")
        }
    }

    /// Fails where it takes more than 5 s from the cancel to the end.
    private static func cancelled(
        _ site: CheckSite, _ operation: ProtocolOperation, _ elements: [ElementSpec], _ options: [String: JSONValue],
        _ cancel: @escaping @Sendable (BackendEvent, BackendRun) async -> Bool
    ) async throws -> [CheckSite.Answer] {
        let began = Mutex<ContinuousClock.Instant?>(nil)
        let answers = try await site.run(operation, elements, options) { event, run in
            if began.withLock({ $0 }) == nil, await cancel(event, run) { began.withLock { $0 = $0 ?? .now } }
        }
        let took = began.withLock { $0 }.map { ContinuousClock.now - $0 } ?? .zero
        if took > .seconds(5) { throw CheckFailure("what is cancelled took \(took) to end") }
        return answers
    }
}
