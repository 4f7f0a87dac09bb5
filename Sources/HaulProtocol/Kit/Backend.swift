import HaulModel

/// A protocol's backend, written in Swift: implement the operations of the manifest, and end `main` with
/// ``BackendMain/run(_:)``; the kit speaks the wire contract of `protocols/README.md`.
///
/// One value serves one batch. Its operations run concurrently, up to the batch's `concurrency`, each in a task of
/// its own that is cancelled when the element is. What they throw ends the element: a ``BackendFailure`` with its
/// class, a `CancellationError` (or anything, once cancelled) with `interrupted`, all else with `unknown`.
/// Blocking calls belong on a queue of the backend's own (``BlockingQueue``).
public protocol Backend: Sendable {
    /// On what threads its elements run.
    static var threads: BackendThreads { get }

    /// Prepares for the batch: reads settings, maybe connects. What it throws fails every element.
    static func open(_ batch: BatchSpec) async throws -> Self

    /// Lists `element.source`; every chunk goes to ``ElementReport/entries(directory:_:)``.
    func list(_ element: ElementSpec, _ report: ElementReport) async throws
    /// Copies the file `element.source` of the source site to `element.destination` of the destination site.
    func copy(_ element: ElementSpec, _ report: ElementReport) async throws
    /// Copies the file `element.source` of the site to the local path `element.destination`.
    func get(_ element: ElementSpec, _ report: ElementReport) async throws
    /// Has the file `element.source` of the site read by a backend of another protocol: `body` is called once with what the
    /// file is as an end of a copy, and returns when nothing more is asked of it. For manifests whose `get` says
    /// `stream`; their `put` takes its source from ``ElementReport/source(of:)``.
    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws
    /// Copies the local file `element.source` to `element.destination` at the site (the batch's `source`).
    func put(_ element: ElementSpec, _ report: ElementReport) async throws
    /// Removes a file or link, or, where the path ends in a slash, an empty directory.
    func remove(_ element: ElementSpec, _ report: ElementReport) async throws
    /// Renames `element.source` to `element.destination`, both of the source site.
    func rename(_ element: ElementSpec, _ report: ElementReport) async throws
    /// Makes the directory `element.source`.
    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws

    /// Called once, after the last element; ends connections.
    func close() async
}

extension Backend {
    public static var threads: BackendThreads { .shared }

    public func list(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.list) }
    public func copy(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.copy) }
    public func get(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.get) }
    public func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        throw BackendFailure(.invalid, "this protocol streams nothing")
    }
    public func put(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.put) }
    public func remove(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.remove) }
    public func rename(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.rename) }
    public func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws { throw missing(.mkdir) }
    public func close() async {}

    private func missing(_ operation: ProtocolOperation) -> BackendFailure {
        BackendFailure(.invalid, "this protocol has no \(operation.rawValue)")
    }

    /// - Parameter questions: What is asked about a streamed source.
    func perform(
        _ operation: ProtocolOperation, _ element: ElementSpec, _ report: ElementReport,
        questions: AsyncStream<SourceQuestion>, options: CommonOptions
    ) async throws {
        switch operation {
        case .list: try await list(element, report)
        case .copy: try await copy(element, report)
        case .get where element.pipe != nil:
            try await serve(element, report) { end in
                try await SourceServing(end: end, element: element, options: options, report: report).run(questions)
            }
        case .get: try await get(element, report)
        case .put: try await put(element, report)
        case .remove: try await remove(element, report)
        case .rename: try await rename(element, report)
        case .mkdir: try await mkdir(element, report)
        }
    }
}
