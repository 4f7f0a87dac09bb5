import Foundation
import HaulModel
import HaulProtocol

/// Whatever rclone has a backend for, by the remote control of one rclone that serves the batch.
struct RcloneBackend: Backend {
    let options: CommonOptions
    let daemon: RcloneDaemon
    let source: RemoteFiles
    let abilities: Abilities
    /// Of a copy.
    let destination: RemoteFiles?
    let destinationAbilities: Abilities?

    static func open(_ batch: BatchSpec) async throws -> RcloneBackend {
        guard let executable = ToolPath.find("rclone") else { throw BackendFailure(.invalid, "rclone is not in PATH") }
        let sides = [("source", batch.source)] + (batch.destination.map { [("destination", $0)] } ?? [])
        let config = try await BlockingQueue(label: "haul.rclone.config").run {
            try RcloneConfig(
                sides.map { side, spec in
                    guard let path = spec.credentials["rclone-config"] else { return (side, spec, nil) }
                    guard let data = FileManager.default.contents(atPath: path) else {
                        throw BackendFailure(.auth, "the rclone-config of the site \(spec.site) cannot be read")
                    }
                    return (side, spec, String(decoding: data, as: UTF8.self))
                })
        }
        let daemon = try await RcloneDaemon.start(
            executable, config: config, scratch: batch.scratch, timeout: batch.timeout)
        do {
            let source = RemoteFiles(control: daemon.control, remote: RcloneConfig.name("source"))
            let abilities = try await Abilities.ask(source)
            var (destination, destinationAbilities): (RemoteFiles?, Abilities?) = (nil, nil)
            if batch.destination != nil {
                let files = RemoteFiles(control: daemon.control, remote: RcloneConfig.name("destination"))
                (destination, destinationAbilities) = (files, try await Abilities.ask(files))
            }
            return RcloneBackend(
                options: batch.common, daemon: daemon, source: source, abilities: abilities, destination: destination,
                destinationAbilities: destinationAbilities)
        } catch {
            await daemon.stop()
            throw error
        }
    }

    func close() async { await daemon.stop() }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Listing(files: source, options: options, report: report).run(element.source)
    }

    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try RemotePath(element.source)
        guard path != .root else { throw BackendFailure(.invalid, "\(element.source) is the remote itself") }
        let found = try await source.stat(path)?.facts
        switch ChangePlan.remove(element.source, found: found, attempt: element.attempt) {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            try await found?.kind == .directory ? source.removeDirectory(path) : source.remove(path)
            report.log("removed \(element.source)")
        }
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try RemotePath(element.source)
        let found = try await source.stat(path)?.facts
        let plan = ChangePlan.mkdir(element.source, found: found, parents: options.parents, attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            try await needParent(of: path)
            try await source.makeDirectory(path)
            report.log("made \(element.source)")
        }
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        guard let target = element.destination else { throw BackendFailure(.invalid, "no destination") }
        let (from, to) = (try RemotePath(element.source), try RemotePath(target))
        guard from != .root else { throw BackendFailure(.invalid, "\(element.source) is the remote itself") }
        let (here, there) = (try await source.stat(from), try await source.stat(to))
        let plan = ChangePlan.rename(
            from: element.source, to: target, source: here?.facts, destination: there?.facts,
            overwrite: options.overwrite, attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go:
            if from == to { throw BackendFailure(.invalid, "\(element.source) and \(target) are one path") }
            try await needParent(of: to)
            if here?.facts.kind == .directory {
                guard abilities.features.contains("DirMove") else {
                    throw BackendFailure(.invalid, "this remote renames no directories")
                }
                try await source.moveDirectory(from, to: to)
            } else {
                try await source.moveFile(from, to: to)
            }
            report.log("renamed \(element.source) to \(target)")
        }
    }

    /// rclone makes what is missing of a way without being asked.
    private func needParent(of path: RemotePath) async throws {
        guard !options.parents, path.parent != .root else { return }
        guard let found = try await source.stat(path.parent)?.facts else {
            throw BackendFailure(.notFound, "/\(path.parent.text) does not exist (option parents makes it)")
        }
        if found.kind != .directory { throw BackendFailure(.invalid, "/\(path.parent.text) is not a directory") }
    }
}
