public import HaulModel

/// The copy of one file, the same for every protocol: look at both ends, decide, move the bytes into a part file,
/// compare, give it the final name; what `protocols/README.md` promises of copy, get and put is kept here.
/// ``CopyEnd`` says what a backend brings.
public struct FileCopying<Source: CopyEnd, Target: CopyEnd>: Sendable {
    let element: ElementSpec
    let options: CommonOptions
    let report: ElementReport
    let source: Source
    let target: Target
    let movers: [CopyMover<Source, Target>]
    let pace: BytePace?

    /// - Parameters:
    ///   - movers: Faster ways than through the worker, in the order in which they are tried.
    ///   - clock: What `bandwidth` is kept by.
    public init(
        _ element: ElementSpec, _ options: CommonOptions, _ report: ElementReport, from source: Source,
        to target: Target, movers: [CopyMover<Source, Target>] = [], clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.element = element
        self.options = options
        self.report = report
        self.source = source
        self.target = target
        // Those that need no open writer come before those that share one.
        self.movers = movers.filter { $0.isWhole } + movers.filter { !$0.isWhole }
        pace = options.bandwidth.map { BytePace(rate: $0, clock: clock) }
    }

    /// Returns once the file is there, whole, under its final name, or was there already.
    /// - Throws: ``BackendFailure``, or a `CancellationError`; what was written is removed then, unless a later attempt
    ///   can go on from it.
    public func run() async throws {
        let promise = try Promise(element.checksum)
        async let there = target.facts(follow: true)
        let found = try await source.facts(follow: follow)
        let old = try await there
        let algorithm = wanted(promise)
        switch try await decide(found, old, promise, algorithm) {
        case .fail(let failure):
            await forgetPart(of: found, after: failure)
            throw failure
        case .skip(let log):
            await forgetPart(of: found, after: nil)
            report.log(log)
            report.transferred(0)
        case .compareChecksums: throw BackendFailure(.backend, "the checksums were compared without a result")
        case .copy(let replace):
            guard let found else { throw BackendFailure(.notFound, "\(source.shown) does not exist") }
            try await copy(found, over: old, promise, algorithm, replace: replace)
        }
    }

    var follow: Bool { options.symlinks == .follow }

    /// Which checksum is wanted at all; nil for none.
    private func wanted(_ promise: Promise?) -> StreamHash.Algorithm? {
        if let promise { return promise.algorithm }
        guard options.verify == .checksum else { return nil }
        if let chosen = options.checksumAlgorithm { return chosen }
        func offered(_ traits: CopyTraits) -> [StreamHash.Algorithm] {
            traits.isNear ? StreamHash.Algorithm.allCases : traits.checksums
        }
        let theirs = offered(target.traits)
        return offered(source.traits).first { theirs.contains($0) } ?? .md5
    }

    private func decide(
        _ found: FileFacts?, _ old: FileFacts?, _ promise: Promise?, _ algorithm: StreamHash.Algorithm?
    ) async throws -> CopyPlan {
        func plan(_ same: Bool?) -> CopyPlan {
            CopyPlan.decide(
                source: found, destination: old, options: options, sourcePath: source.shown,
                destinationPath: target.shown, sameContent: same, hasChecksum: promise != nil,
                keepsTimes: target.traits.keepsTimes)
        }
        let first = plan(nil)
        guard first == .compareChecksums, let found, let algorithm else { return first }
        async let theirs = sum(target, FileFacts(kind: .file, size: found.size), algorithm, follow: true)
        // What the element promises is enough; the source is asked too where both ends are to be compared.
        let ours = options.verify == .checksum ? try await sum(source, found, algorithm, follow: follow) : promise?.sum
        let there = try await theirs
        let same = there == ours && (promise.map { $0.sum == there } ?? true)
        if same { report.checksum(there) }
        return plan(same)
    }

    private func copy(
        _ facts: FileFacts, over old: FileFacts?, _ promise: Promise?, _ algorithm: StreamHash.Algorithm?, replace: Bool
    ) async throws {
        do { try await target.prepareParent(make: options.parents, isMissing: false) } catch {
            await forgetPart(of: facts, after: error)
            throw error
        }
        var isDone = false
        if target.publication(of: facts) == .rename {
            let part = move(facts, to: try part(of: facts), .rename, replace: true, algorithm)
            isDone = try await cleaningUp(part) {
                try await written(part, promise)
                do {
                    // Whoever cancels now is told what came of it: a file under its final name is no failure.
                    let (written, target) = (part.target, target)
                    let isPublished = try await BackendThreads.uncancelled {
                        try await written.publish(as: target, replace: replace)
                    }
                    if isPublished { return true }
                } catch let failure as BackendFailure where failure.errorClass == .notFound {
                    throw BackendFailure(.busy, "another attempt took the part away: \(failure.reason)")
                }
                report.log("\(target.shown): nothing is renamed there, so it is written under its final name")
                try await part.target.discard()
                return false
            }
        }
        if !isDone {
            let final = move(facts, to: target, target.publication(of: facts), replace: replace, algorithm)
            try await cleaningUp(final, old: old) { try await written(final, promise) }
        }
        report.log("copied \(facts.size) bytes to \(target.shown)")
    }

    /// What is written before the file has its name.
    func part(of facts: FileFacts) throws -> Target {
        try target.sibling(
            PartFile.name(seed: element.partSeed, size: facts.size, modified: facts.modified ?? 0))
    }

    private func move(
        _ facts: FileFacts, to written: Target, _ publication: CopyTraits.Publication, replace: Bool,
        _ algorithm: StreamHash.Algorithm?
    ) -> CopyMove<Source, Target> {
        CopyMove(
            source: source, target: written, publication: publication, facts: facts, replace: replace, follow: follow,
            algorithm: algorithm, bandwidth: options.bandwidth, streams: options.streams, report: report)
    }

    /// Writes and checks; once more where the directory turns out to be missing.
    private func written(_ move: CopyMove<Source, Target>, _ promise: Promise?) async throws {
        do {
            return try await write(move, promise)
        } catch let trouble as Trouble {
            guard let failure = trouble.cause as? CopyWriteFailure, failure.parentIsMissing else { throw trouble }
            guard options.parents else {
                throw BackendFailure(
                    .notFound,
                    "the directory of \(target.shown) does not exist (option parents makes it): "
                        + failure.failure.reason)
            }
            try await target.prepareParent(make: true, isMissing: true)
        }
        try await write(move, promise)
    }
}

/// What an element says of its content.
struct Promise: Sendable {
    let algorithm: StreamHash.Algorithm
    /// `md5:HEX`, as ``StreamHash`` writes it.
    let sum: String

    /// - Throws: ``BackendFailure`` for a kind that is not known here: what cannot be checked is not kept.
    init?(_ text: String?) throws {
        guard let text = text?.lowercased() else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let algorithm = StreamHash.Algorithm(rawValue: String(parts[0])) else {
            let known = StreamHash.Algorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw BackendFailure(
                .invalid, "the checksum \(text.prefix(80)) is of a kind that is not known here (\(known))")
        }
        self.algorithm = algorithm
        // A number to those who wrote adler32 down: leading zeros are often missing.
        let zeros = algorithm == .adler32 ? String(repeating: "0", count: max(0, 8 - parts[1].utf8.count)) : ""
        sum = "\(parts[0]):\(zeros)\(parts[1])"
    }
}

extension CopyMover {
    var isWhole: Bool { if case .whole = way { true } else { false } }
}
