import HaulModel
import HaulProtocol
import HaulWire

/// Runs one batch in one slot, from its backend's start to its end.
protocol BatchRunner: Actor {
    /// Returns once every element had its result and no process is left.
    func run() async
    /// Takes more elements of its errand along.
    /// - Parameter errand: The same one, as the server tells it by now.
    /// - Returns: False where it is too late for that; then none of them is touched.
    func extend(_ reports: [AttemptReport], of errand: Errand) async -> Bool
    /// Ends one element; its result follows.
    func cancel(_ id: String, reason: String, keep: Bool) async
    /// Ends all elements; their results follow.
    func stop(reason: String) async
    /// Ends the processes at once, by force.
    func kill() async
}

extension BatchRunner {
    func extend(_ reports: [AttemptReport], of errand: Errand) async -> Bool { false }
}

/// What the batches of a worker share.
struct Workshop: Sendable {
    var config: WorkerConfig
    var catalog: ProtocolCatalog
    var credentials: CredentialFiles
    var folder: WorkFolder
    var space: SpoolSpace
    let warm: WarmBackends
    var graces = BackendRun.Graces()
    /// Ends backends should this process be stopped; nil where there is none.
    var guardian: ProcessGuard?
    let server: any WorkerServer
    var log: WorkerLog

    /// Starts a backend under guard: it has no element yet, so that none is at work unguarded.
    func start(
        _ plugIn: PlugIn, _ batch: BatchSpec, onEvent: @escaping BackendRun.Handler
    ) async throws -> BackendRun {
        let backend = try await BackendRun.start(plugIn.found, batch: batch, graces: graces, onEvent: onEvent)
        guardian?.watch(backend)
        return backend
    }

    /// A backend for a batch: one that waits for such a one, or a new one.
    /// - Parameters:
    ///   - batch: Without a scratch folder: the backend has its own.
    ///   - isPrivate: It is told what one user alone may show: it serves no other batch.
    func seat(
        _ plugIn: PlugIn, _ batch: BatchSpec, isPrivate: Bool, onEvent: @escaping BackendRun.Handler
    ) async throws -> BackendSeat {
        var kind = try await kind(plugIn, batch)
        if isPrivate { kind.isReusable = false }
        if let seat = await warm.take(kind) {
            seat.listen(onEvent)
            return seat
        }
        do {
            return try await BackendSeat.start(kind, plugIn, in: self, onEvent: onEvent)
        } catch {
            await warm.give(nil)
            throw error
        }
    }

    /// What processes have in common that are told this, with the credentials as they are now.
    func kind(_ plugIn: PlugIn, _ batch: BatchSpec) async throws -> BackendSeat.Kind {
        let paths = [batch.source, batch.destination].compactMap { $0?.credentials.values }.flatMap { $0 }
        let stamps = try await folder.look {
            Dictionary(paths.compactMap { path in CredentialStamp(path).map { (path, $0) } }) { first, _ in first }
        }
        return BackendSeat.Kind(
            protocolName: plugIn.found.manifest.name, isReusable: plugIn.found.manifest.reuse, batch: batch,
            credentials: stamps)
    }

    /// The plug-in that serves a station.
    /// - Throws: The result of every element that would need it.
    func plugIn(_ station: Station, for operation: ProtocolOperation) throws(Unrunnable) -> PlugIn {
        guard let found = catalog[station.protocolName] else {
            let known = catalog.unusable.first { $0.name == station.protocolName }
            let why = known.map { ": \($0.reasons.joined(separator: "; "))" } ?? ""
            throw Unrunnable(.backend, "this worker cannot run protocol \(station.protocolName)\(why)")
        }
        guard let spec = found.manifest.operations[operation] else {
            throw Unrunnable(.invalid, "protocol \(station.protocolName) has no operation \(operation.rawValue)")
        }
        if let problem = config.hosts?.problem(station.site.endpoints, found.manifest.hosts) {
            throw Unrunnable(.permission, "site \(station.site.name): \(problem)")
        }
        return PlugIn(found: found, operation: spec)
    }

    /// What one backend process takes of an errand; of a copy between two protocols, what both do.
    func capacity(of errand: Errand) -> BackendCapacity {
        var legs = [try? plugIn(errand.source, for: errand.isBridge ? .get : errand.operation)]
        if errand.isBridge, let target = errand.destination { legs.append(try? plugIn(target, for: .put)) }
        let operations = legs.compactMap { $0?.operation }
        return BackendCapacity(
            batch: operations.map(\.batch).min() ?? 1,
            concurrency: min(config.concurrency, operations.map(\.concurrency).min() ?? 1))
    }

    /// A station as a backend is told of it, and a line for each credential that is not used.
    ///
    /// - Parameter own: what the job's user shows there: it counts before what this worker's configuration says.
    func site(
        _ station: Station, _ plugIn: PlugIn, own: [String: String]
    ) async -> (spec: SiteSpec, warnings: [String]) {
        let (credentials, site, kinds) = (credentials, station.site, plugIn.found.manifest.credentials)
        // What is a user's own site leads where they say, whatever it is called.
        let found = site.owned == true ? nil : try? await folder.look { credentials.usable(for: site, kinds: kinds) }
        let spec = SiteSpec(
            site: site.name, endpoints: site.endpoints,
            options: plugIn.found.manifest.siteOptions.defaulted(site.options),
            credentials: own.isEmpty ? found?.files ?? [:] : own.filter { kinds.contains($0.key) },
            isShownByUser: !own.isEmpty)
        return (spec, found?.refused ?? [])
    }

    /// What one backend process is told at first.
    func batch(
        _ operation: ProtocolOperation, of errand: Errand, with plugIn: PlugIn, source: SiteSpec,
        destination: SiteSpec?, scratch: String
    ) -> BatchSpec {
        let manifest = plugIn.found.manifest
        return BatchSpec(
            operation: operation, options: manifest.merged(errand.options), source: source, destination: destination,
            settings: manifest.settings.defaulted(config.settings[manifest.name] ?? [:]),
            timeout: plugIn.operation.timeout, scratch: scratch, spool: folder.spool, spoolBytes: config.spoolBytes,
            concurrency: min(config.concurrency, plugIn.operation.concurrency), hosts: config.hosts)
    }
}

extension Workshop {
    /// Who runs a batch.
    /// - Parameter nearlyThrough: Called when it may be asked to take more of its errand along.
    func runner(
        _ errand: Errand, _ reports: [AttemptReport], settle: @escaping BatchLedger.Settle,
        nearlyThrough: @escaping @Sendable () async -> Void
    ) -> any BatchRunner {
        if streams(errand) { return StreamBridge(errand, reports, in: self, settle: settle) }
        if errand.isBridge { return Bridge(errand, reports, in: self, settle: settle) }
        return BatchRun(errand, reports, in: self, settle: settle, nearlyThrough: nearlyThrough)
    }
}

/// A protocol that can run here, and what it says of the operation that is wanted.
struct PlugIn: Sendable {
    var found: DiscoveredProtocol
    var operation: OperationSpec
}

/// Why none of a batch's elements can be run here.
struct Unrunnable: Error, Sendable {
    var result: ElementResult

    init(_ errorClass: ErrorClass, _ reason: String) { result = .failed(errorClass, reason) }
}
