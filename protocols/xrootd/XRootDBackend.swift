import Foundation
import HaulModel
import HaulProtocol

/// XRootD: what is small through xrdfs processes that a batch shares, what moves bytes through xrdcp.
struct XRootDBackend: Backend {
    let options: CommonOptions
    let moving: XrdcpOptions
    let source: RemoteFiles
    /// Of a copy.
    let destination: RemoteFiles?
    /// Of a copy: one xrdcp may speak to both.
    let sharesCredentials: Bool

    static func open(_ batch: BatchSpec) async throws -> XRootDBackend {
        func tool(_ name: String) throws -> String {
            guard let found = ToolPath.find(name) else { throw BackendFailure(.invalid, "\(name) is not in PATH") }
            return found
        }
        let xrdfs = try tool("xrdfs")
        func files(_ site: XRootDSite) -> RemoteFiles {
            RemoteFiles(pool: XrdfsPool(site, executable: xrdfs, limit: .seconds(max(30, batch.timeout))))
        }
        let follows = batch.hosts == nil || batch.settings["redirects"]?.string == "follow"
        func site(_ spec: SiteSpec) throws -> XRootDSite {
            try XRootDSite(spec, scratch: batch.scratch, followsRedirects: follows)
        }
        let (source, destination) = (try site(batch.source), try batch.destination.map(site))
        let shares = try await BlockingQueue(label: "haul.xrootd.open").run {
            for site in [source, destination] { try site?.refuseExpired() }
            return destination.map { source.showsTheSame(as: $0) } ?? true
        }
        return XRootDBackend(
            options: batch.common, moving: try XrdcpOptions(batch.options, xrdcp: tool("xrdcp"), xrdfs: xrdfs),
            source: files(source), destination: destination.map(files), sharesCredentials: shares)
    }

    func close() async {
        await source.pool.close()
        await destination?.pool.close()
    }

    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try source.path(element.source)
        guard path != .root else { throw BackendFailure(.invalid, "\(element.source) is the root itself") }
        // A server takes a missing directory for removed, and rm for rmdir where the directory is empty.
        let found = try await source.stat(path)?.facts
        switch ChangePlan.remove(element.source, found: found, attempt: element.attempt) {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            let isDirectory = found?.kind == .directory
            try await isDirectory ? source.removeDirectory(path) : source.remove(path)
            report.log("removed \(element.source)")
        }
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try source.path(element.source)
        let found = try await source.stat(path)?.facts
        let plan = ChangePlan.mkdir(element.source, found: found, parents: options.parents, attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            do {
                try await source.makeDirectory(path, parents: options.parents)
            } catch let failure as BackendFailure where failure.errorClass == .exists && options.parents {
                // Made by a neighbour between the look and the deed.
                guard try await source.stat(path)?.facts.kind == .directory else { throw failure }
            }
            report.log("made \(element.source)")
        }
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        let (from, to) = (try source.path(element.source), try source.path(target))
        guard from != .root else { throw BackendFailure(.invalid, "\(element.source) is the root itself") }
        let (here, there) = (try await source.stat(from), try await source.stat(to))
        let plan = ChangePlan.rename(
            from: element.source, to: target, source: here?.facts, destination: there?.facts,
            overwrite: options.overwrite, attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go(let replace):
            if replace, from == to || here?.identity != nil && here?.identity == there?.identity {
                // One may be a link to the other, which would then lead to itself.
                throw BackendFailure(.invalid, "\(element.source) and \(target) are one file")
            }
            // The server would make what is missing of the way.
            if !options.parents, try await source.stat(to.parent) == nil {
                throw BackendFailure(.notFound, "\(to.parent.text) does not exist (option parents makes it)")
            }
            try await source.move(from, to: to)
            report.log("renamed \(element.source) to \(target)")
        }
    }
}
