import Foundation
import HaulModel
import HaulProtocol

/// SFTP over OpenSSH: the sites of a batch, each with connections that all of its elements share.
struct SSHBackend: Backend {
    static let threads = BackendThreads.loop

    let options: CommonOptions
    let source: ConnectionPool
    /// Of a copy; the same as ``source`` where both sites are one.
    let destination: ConnectionPool?

    static func open(_ batch: BatchSpec) async throws -> SSHBackend {
        guard let executable = ToolPath.find("ssh", path: Environment.allowed["PATH"]) else {
            throw BackendFailure(.invalid, "ssh is not in PATH")
        }
        func pool(_ spec: SiteSpec, _ name: String) throws -> ConnectionPool {
            let site = try SSHSite(spec)
            let file = batch.scratch + "/known-hosts-" + name
            guard
                FileManager.default.createFile(
                    atPath: file, contents: Data(site.knownHosts.utf8), attributes: [.posixPermissions: 0o600])
            else { throw BackendFailure(.backend, "cannot write in the batch's scratch folder") }
            return ConnectionPool(site, knownHosts: file, executable: executable)
        }
        let source = try pool(batch.source, "source")
        var destination: ConnectionPool?
        if let spec = batch.destination {
            let isSame = try await BlockingQueue(label: "haul.ssh.open").run {
                try SSHSite(spec).isSameAccount(as: SSHSite(batch.source))
            }
            destination = isSame ? source : try pool(spec, "destination")
        }
        return SSHBackend(options: batch.common, source: source, destination: destination)
    }

    func close() async {
        await source.close()
        await destination?.close()
    }

    /// Runs an operation with a connection of the source site; a connection that breaks fails it with its reason.
    func atSource<Value: Sendable>(
        large: Bool = false, _ body: @Sendable (RemotePlace) async throws -> Value
    ) async throws -> Value {
        try await Self.at(source, large: large, body)
    }

    static func at<Value: Sendable>(
        _ pool: ConnectionPool, large: Bool = false, _ body: @Sendable (RemotePlace) async throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.use(large: large) { client in
                try await body(RemotePlace(client: client, home: await pool.home(client), pool: pool))
            }
        } catch let loss as SFTPLoss {
            throw await loss.failure()
        } catch let status as SFTPStatus {
            throw status.failure("the operation failed")
        }
    }

    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await atSource { place in
            let isDirectory = element.source.utf8.last == UInt8(ascii: "/")
            let path = place.absolute(isDirectory ? ListingPath.directory(element.source) : element.source)
            let found = try await place.facts(path, follow: false)
            switch ChangePlan.remove(element.source, found: found, attempt: element.attempt) {
            case .fail(let failure): throw failure
            case .done(let log): report.log(log)
            case .go:
                do {
                    try await place.client.done(isDirectory ? .rmdir(path) : .remove(path))
                } catch let status as SFTPStatus {
                    throw try await failedRemoval(status, of: path, isDirectory: isDirectory, at: place)
                }
                report.log("removed \(element.source)")
            }
        }
    }

    /// OpenSSH calls a directory that is not empty "Failure": what is in it tells.
    private func failedRemoval(
        _ status: SFTPStatus, of path: String, isDirectory: Bool, at place: RemotePlace
    ) async throws -> BackendFailure {
        if isDirectory, status.errorClass == .unknown, try await RemoteDirectory.hasEntries(path, at: place) {
            return BackendFailure(.notEmpty, "\(path) is not empty")
        }
        return status.failure("cannot remove \(path)")
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await atSource { place in
            let path = place.absolute(ListingPath.directory(element.source))
            let found = try await place.facts(path, follow: true)
            let plan = ChangePlan.mkdir(
                element.source, found: found, parents: options.parents, attempt: element.attempt)
            switch plan {
            case .fail(let failure): throw failure
            case .done(let log): report.log(log)
            case .go:
                if options.parents {
                    try await place.makeDirectories(path)
                } else {
                    do {
                        try await place.client.done(.mkdir(path, SFTPAttributes(permissions: 0o777)))
                    } catch let status as SFTPStatus {
                        throw status.failure("cannot make \(element.source)")
                    }
                }
                report.log("made \(element.source)")
            }
        }
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        try await atSource { place in
            try await Renaming(place: place, element: element, options: options, report: report).run(to: target)
        }
    }
}
