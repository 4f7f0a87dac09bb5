import Foundation
import HaulModel
import HaulProtocol

/// A file of a site as one end of a copy.
struct XRootDEnd: CopyEnd {
    let shown: String
    let path: RemotePath
    let files: RemoteFiles
    let abilities: SiteAbilities
    let tools: XrdcpOptions
    /// `root://HOST:PORT/`, which the path follows.
    let site: String

    init(_ given: String, _ files: RemoteFiles, _ abilities: SiteAbilities, _ tools: XrdcpOptions) async throws {
        shown = given
        path = try files.path(given)
        self.files = files
        self.abilities = abilities
        self.tools = tools
        site = await files.pool.url
    }

    private init(_ other: XRootDEnd, path: RemotePath) {
        (shown, files, abilities, tools, site) = (other.shown, other.files, other.abilities, other.tools, other.site)
        self.path = path
    }

    /// XRootD sets no times, and xrdcp 5.5 does not go on with an upload.
    var traits: CopyTraits {
        CopyTraits(publication: .rename, keepsTimes: false, keepsParts: false, checksums: abilities.checksums)
    }

    var url: String { site + path.text }

    var environment: [String: String] { files.pool.site.environment }

    func facts(follow: Bool) async throws -> FileFacts? { try await files.stat(path)?.facts }

    func sibling(_ name: String) throws -> XRootDEnd { XRootDEnd(self, path: path.parent.child(name)) }

    func prepareParent(make: Bool, isMissing: Bool) async throws {
        // A file that is written makes what is missing of its way.
        let parent = path.parent
        guard let found = try await files.stat(parent)?.facts else {
            if make { return }
            throw BackendFailure(.notFound, "\(parent.text) does not exist (option parents makes it)")
        }
        if found.kind != .directory { throw BackendFailure(.invalid, "\(parent.text) is not a directory") }
    }

    func publish(as target: XRootDEnd, replace: Bool) async throws -> Bool {
        // XRootD renames over what is there. The moment between this look and the deed is open.
        if let there = try await files.stat(target.path)?.facts, !replace || there.kind != .file {
            throw BackendFailure(.exists, "\(target.shown) is there by now")
        }
        try await files.move(path, to: target.path)
        return true
    }

    func discard() async throws {
        do { try await files.remove(path) } catch let failure as BackendFailure where failure.errorClass == .notFound {}
    }

    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        guard abilities.checksums.contains(algorithm) else { return nil }
        return try await files.checksum(path, algorithm)
    }

    func reader(_ order: ReadOrder) async throws -> any CopyReader {
        let streams = Xrdcp.streams(order.streams)
        let (tool, arguments) =
            order.from == 0
            ? (tools.xrdcp, ["--silent", "--nopbar"] + streams + [url, "-"])
            : (tools.xrdfs, [site, "tail", "-c", String(max(0, order.facts.size - order.from)), path.text])
        let child = try await Xrdcp.start(tool, arguments, environment, input: .null, output: .pipe)
        return ToolReader(
            child, shown: shown, path: path, bytes: order.to - order.from, isToEnd: order.isToEnd)
    }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        let streams = Xrdcp.streams(order.streams)
        let child = try await Xrdcp.start(
            tools.xrdcp, uploading + streams + ["-", url], environment, input: .pipe, output: .null)
        return ToolWriter(child, end: self)
    }

    func settle(_ source: FileFacts) async throws -> FileFacts? {
        if let permissions = source.permissions { try? await files.setPermissions(path, permissions) }
        return try await files.stat(path)?.facts
    }

    /// The arguments of a transfer that writes here.
    var uploading: [String] { ["--silent", "--nopbar", "--force"] + (tools.posc ? ["--posc"] : []) }

    /// How much is there by now, told to whoever watches a transfer.
    func tell(_ report: ElementReport, of total: Int) async {
        guard let size = try? await files.stat(path)?.facts.size else { return }
        report.progress(transferred: min(size, total), total: total)
    }
}
