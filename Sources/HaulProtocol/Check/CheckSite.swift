import Foundation
import HaulModel
import Synchronization

/// The site under check, an operation at a time: each call is a batch of its own, in a process of its own.
struct CheckSite: Sendable {
    /// What one element told.
    struct Answer: Sendable {
        var result: ElementResult
        var log = ""
        var chunks: [(directory: String, entries: [ListingEntry])] = []
    }

    let target: CheckTarget
    /// The run's own directory at the site.
    let top: String
    let scratch: String
    let secrets: CheckSecrets

    init(target: CheckTarget, top: String, scratch: String) {
        (self.target, self.top, self.scratch) = (target, top, scratch)
        secrets = CheckSecrets(target.site.credentials.values)
    }

    func path(_ name: String) -> String { "\(top)/\(name)" }
    /// Where a path of the site is on this machine's disk; nil where it is on none.
    func onDisk(_ path: String) -> String? {
        target.disk.map { ListingPath.child($0, String(path.dropFirst(target.base.count).drop { $0 == "/" })) }
    }

    func local(_ name: String) -> String { "\(target.local)/\(name)" }

    func declares(_ operation: ProtocolOperation) throws {
        guard target.discovered.manifest.operations[operation] != nil else {
            throw NotApplicable(reason: "the manifest declares no \(operation.rawValue)")
        }
    }

    /// A batch with a private directory of its own.
    func batch(_ operation: ProtocolOperation, _ options: [String: JSONValue]) throws -> BatchSpec {
        let spec = target.discovered.manifest.operations[operation] ?? OperationSpec()
        let own = "\(scratch)/\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: own, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return BatchSpec(
            operation: operation, options: target.discovered.manifest.merged(options), source: target.site,
            destination: operation == .copy ? target.site : nil, settings: target.settings, timeout: 60,
            scratch: own, spool: scratch, concurrency: spec.concurrency)
    }

    /// Starts a backend; what it tells is searched for secrets.
    func start(_ batch: BatchSpec, onEvent: @escaping BackendRun.Handler) async throws -> BackendRun {
        try await BackendRun.start(target.discovered, batch: batch, redactor: Redactor(contents: [])) { [secrets] in
            await onEvent(secrets.search($0))
        }
    }

    /// Runs elements in one process; the answers come in the elements' order.
    /// - Parameter during: Called with each event and the run, for cases that interfere.
    func run(
        _ operation: ProtocolOperation, _ elements: [ElementSpec], _ options: [String: JSONValue] = [:],
        during: (@Sendable (BackendEvent, BackendRun) async -> Void)? = nil
    ) async throws -> [Answer] {
        try declares(operation)
        let answers = Mutex<[String: Answer]>([:])
        let results = Mutex<[String: Int]>([:])
        let started = Mutex<BackendRun?>(nil)
        let run = try await start(batch(operation, options)) { event in
            if case .progress = event, let run = started.withLock({ $0 }) { secrets.search(group: run.pid) }
            answers.withLock { $0[event.id, default: Answer(result: ElementResult())].add(event) }
            if case .result(let id, _) = event { results.withLock { $0[id, default: 0] += 1 } }
            if let during, let run = started.withLock({ $0 }) { await during(event, run) }
        }
        started.withLock { $0 = run }
        for element in elements { await run.add(element) }
        await run.finish()
        await run.wait()
        started.withLock { $0 = nil }
        return try elements.map { element in
            let count = results.withLock { $0[element.id] ?? 0 }
            guard count == 1, let answer = answers.withLock({ $0[element.id] }) else {
                throw CheckFailure("\(count) results for one element")
            }
            return answer
        }
    }

    func one(
        _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil, attempt: Int = 1,
        last: Bool = false, checksum: String? = nil, options: [String: JSONValue] = [:]
    ) async throws -> Answer {
        let element = ElementSpec(
            id: "1.0.\(attempt)", source: source, destination: destination, checksum: checksum, attempt: attempt,
            last: last, partSeed: "check.\(destination ?? source)")
        return try await run(operation, [element], options)[0]
    }

    /// Fails unless the element did well.
    @discardableResult
    func ok(
        _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil, attempt: Int = 1,
        checksum: String? = nil, options: [String: JSONValue] = [:]
    ) async throws -> Answer {
        let answer = try await one(
            operation, source, destination, attempt: attempt, checksum: checksum, options: options)
        if let errorClass = answer.result.errorClass {
            let what = "\(operation.rawValue) \(source), attempt \(attempt)"
            throw CheckFailure("\(what): \(errorClass.rawValue): \(answer.result.reason ?? "")")
        }
        return answer
    }

    /// Fails unless the element failed with that class, and said why.
    func fails(
        _ errorClass: ErrorClass, _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil,
        attempt: Int = 1, checksum: String? = nil, options: [String: JSONValue] = [:]
    ) async throws {
        let answer = try await one(
            operation, source, destination, attempt: attempt, checksum: checksum, options: options)
        let found = answer.result.errorClass?.rawValue ?? "ok"
        let what = "\(operation.rawValue) \(source)"
        if answer.result.errorClass != errorClass {
            throw CheckFailure("\(what): \(found) (\(answer.result.reason ?? "")), not \(errorClass.rawValue)")
        }
        if answer.result.reason?.isEmpty ?? true { throw CheckFailure("\(what): fails without a reason") }
    }

    /// Those of the operations that the protocol has, all at once; what fails says which it was.
    func each(
        _ operations: [ProtocolOperation], _ body: @escaping @Sendable (ProtocolOperation) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for operation in operations where target.discovered.manifest.operations[operation] != nil {
                group.addTask {
                    do { try await body(operation) } catch let error as NotApplicable { throw error } catch {
                        throw CheckFailure("\(operation.rawValue): \(error)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Every file below a path, by its path below, with its size.
    func tree(_ path: String) async throws -> [String: ListingEntry] {
        let answer = try await ok(.list, path)
        let base = ListingPath.directory(path)
        var found: [String: ListingEntry] = [:]
        for (directory, entries) in answer.chunks {
            guard directory.utf8.starts(with: base.utf8) else {
                throw CheckFailure("the listing of \(path) names the directory \(directory)")
            }
            let below = directory.dropFirst(base.count).drop { $0 == "/" }
            for entry in entries { found[below.isEmpty ? entry.name : "\(below)/\(entry.name)"] = entry }
        }
        return found
    }

    /// Fails where something that a copy works with was left behind in a directory.
    func noParts(_ path: String) async throws {
        if let part = try await tree(path).keys.first(where: { $0.contains(PartFile.prefix) }) {
            throw CheckFailure("\(part) was left behind")
        }
    }
}

extension CheckSite.Answer {
    mutating func add(_ event: BackendEvent) {
        switch event {
        case .log(_, let text): log += text + "\n"
        case .progress: break
        case .entries(_, let directory, let entries): chunks.append((directory, entries))
        case .result(_, let result): self.result = result
        case .ask, .answer: break
        }
    }
}
