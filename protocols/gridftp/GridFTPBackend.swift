import HaulModel
import HaulProtocol

/// GridFTP (GFD.20 on RFC 959), anonymous or with X.509 proxies. README's promises stand in `protocols/README.md`; why this
/// speaks the control connection itself, in the comment of ``Lane`` and in that file.
struct GridFTPBackend: Backend {
    /// Elements wait for a handful of connections, and do little else.
    static var threads: BackendThreads { .loop }

    let options: CommonOptions
    let source: RemoteSite
    /// Of a copy; the same as ``source`` where both sites are one.
    let destination: RemoteSite?
    let thirdParty: ThirdParty?

    static func open(_ batch: BatchSpec) async throws -> GridFTPBackend {
        let batch = await batch.reaching { _ in GridFTPSite.standardPort }
        let site = try GridFTPSite(batch.source, settings: batch.settings, hosts: batch.hosts)
        let source = RemoteSite(site)
        var destination: RemoteSite?
        if let spec = batch.destination {
            let other = try GridFTPSite(spec, settings: batch.settings, hosts: batch.hosts)
            let isSame = try await BlockingQueue(label: "haul.gridftp.open").run { other.isSame(as: site) }
            destination = isSame ? source : RemoteSite(other)
        }
        return GridFTPBackend(
            options: batch.common, source: source, destination: destination,
            thirdParty: destination.map { ThirdParty(source, $0) })
    }

    func close() async {
        await thirdParty?.close()
        await source.server.close()
        await destination?.server.close()
    }

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let destination, let thirdParty else {
            throw BackendFailure(.invalid, "a copy needs a destination site")
        }
        try await FileCopying(
            element, options, report, from: try await end(element.source, source),
            to: try await end(element.destination ?? "", destination), movers: [thirdParty.mover()]
        ).run()
    }

    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try LocalEnd(worker: element.destination ?? "")
        try await FileCopying(element, options, report, from: try await end(element.source, source), to: target).run()
    }

    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        let target = try await end(element.destination ?? "", source)
        switch try report.source(of: element) {
        case .file(let file): try await FileCopying(element, options, report, from: file, to: target).run()
        case .asked(let asked): try await FileCopying(element, options, report, from: asked, to: target).run()
        }
    }

    func serve(
        _ element: ElementSpec, _ report: ElementReport, to body: @Sendable (any CopyEnd) async throws -> Void
    ) async throws {
        try await body(end(element.source, source))
    }

    private func end(_ path: String, _ site: RemoteSite) async throws -> RemoteEnd {
        try await RemoteEnd(path, at: site)
    }
}
