import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

/// S3 through curl (Amazon S3 API Reference, 2006-03-01), and what speaks like it.
struct S3Backend: Backend {
    private let source: Bucket
    private let destination: Bucket?
    private let options: CommonOptions

    static func open(_ batch: BatchSpec) async throws -> S3Backend {
        guard Sodium.start() else { throw BackendFailure(.backend, "libsodium finds no source of randomness") }
        let batch = await batch.reaching(standardPort: \.webPort)
        let curl = Curl(batch, name: "s3")
        let proxy = batch.settings["proxy"]?.string
        let limits = Limits(batch.settings)
        let source = try Site(batch.source, scratch: batch.scratch, proxy: proxy)
        let destination = try batch.destination.map { try Site($0, scratch: batch.scratch, proxy: proxy) }
        return S3Backend(
            source: Bucket(site: source, curl: curl, limits: limits),
            destination: destination.map { Bucket(site: $0, curl: curl, limits: limits) }, options: batch.common)
    }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Listing(bucket: source, depth: options.depth, report: report).run(element.source)
    }

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let destination else { throw BackendFailure(.invalid, "a copy needs a destination site") }
        let from = try S3End(element.source, at: source, element, isSource: true)
        var to = try S3End(element.destination ?? "", at: destination, element, isSource: false)
        to.keepsTimes = false
        try await FileCopying(element, options, report, from: from, to: to, movers: Movers.copy).run()
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        let from = try S3End(element.source, at: source, element, isSource: true)
        let to = try LocalEnd(worker: element.destination ?? "")
        try await FileCopying(element, options, report, from: from, to: to, movers: Movers.get).run()
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        let to = try S3End(element.destination ?? "", at: source, element, isSource: false)
        switch try report.source(of: element) {
        case .file(let file):
            try await FileCopying(element, options, report, from: file, to: to, movers: Movers.put).run()
        case .asked(let asked):
            try await FileCopying(element, options, report, from: asked, to: to, movers: Movers.asked).run()
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await body(S3End(element.source, at: source, element, isSource: true))
    }

    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Change(bucket: source, options: options, element: element, report: report).remove()
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Renaming(bucket: source, options: options, element: element, report: report).run()
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Change(bucket: source, options: options, element: element, report: report).makeDirectory()
    }
}
