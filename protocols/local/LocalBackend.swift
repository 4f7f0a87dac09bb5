import CFiles
import Foundation
import HaulModel
import HaulProtocol

/// The worker's own disks, confined to the `roots` of its configuration.
struct LocalBackend: Backend {
    let roots: [Root]
    /// The same as the other site of a copy wants them.
    let otherRoots: [Root]
    let options: CommonOptions
    let files = BlockingQueue(label: "haul.local")

    static func open(_ batch: BatchSpec) async throws -> LocalBackend {
        let paths = (batch.settings["roots"]?.array ?? []).compactMap(\.string)
        guard !paths.isEmpty else {
            throw BackendFailure(.invalid, "the worker's configuration names no roots for the protocol local")
        }
        let opened = try await BlockingQueue(label: "haul.local.roots").run { try paths.map { try Root($0) } }
        func roots(_ site: SiteSpec) -> [Root] {
            let mounts = site.options["mounts"]?.string != "stay"
            return opened.map { $0.with(mounts: mounts) }
        }
        return LocalBackend(
            roots: roots(batch.source), otherRoots: roots(batch.destination ?? batch.source), options: batch.common)
    }

    /// Finds the root of a path: `~` and relative paths are in the first, absolute ones below any.
    func path(_ path: String, in roots: [Root]? = nil) throws -> LocalPath {
        let roots = roots ?? self.roots
        guard !path.utf8.contains(0) else { throw BackendFailure(.invalid, "a path holds a NUL") }
        if path.utf8.first == UInt8(ascii: "/") {
            for root in roots {
                if let words = root.words(below: path) { return LocalPath(root: root, words: words, shown: path) }
            }
            throw BackendFailure(.permission, "\(path) is below none of the roots that this worker may touch")
        }
        var words = Root.words(path)
        if words.first == "~" { words.removeFirst() }
        return LocalPath(root: roots[0], words: words, shown: path)
    }

    func remove(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await files.run {
            let path = try path(element.source)
            let place: LocalName
            do {
                place = try path.place()
            } catch let failure as BackendFailure where failure.errorClass == .notFound && element.attempt > 1 {
                return report.log("\(element.source) is gone already, with its directory")
            }
            switch ChangePlan.remove(element.source, found: try place.facts(), attempt: element.attempt) {
            case .fail(let failure): throw failure
            case .done(let log): report.log(log)
            case .go:
                try place.unlink(directory: element.source.utf8.last == UInt8(ascii: "/"))
                try place.directory.syncDirectory()
                report.log("removed \(element.source)")
            }
        }
    }

    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await files.run {
            let path = try path(element.source)
            if path.words.isEmpty { return report.log("\(element.source) is a root, and there already") }
            let place = try path.place(parents: options.parents)
            // A link to a directory is as good as one.
            var found = try place.facts()
            if found?.kind == .link, (try? path.open(HAUL_O_PATH | O_DIRECTORY)) != nil { found?.kind = .directory }
            let plan = ChangePlan.mkdir(
                element.source, found: found, parents: options.parents, attempt: element.attempt)
            switch plan {
            case .fail(let failure): throw failure
            case .done(let log): report.log(log)
            case .go:
                if mkdirat(place.directory.raw, place.name, 0o777) != 0 {
                    // Made by a neighbour between the look and the deed.
                    guard errno == EEXIST, options.parents, try place.facts()?.kind == .directory else {
                        throw BackendFailure.system(errno, "cannot make \(element.source)")
                    }
                }
                try place.directory.syncDirectory()
                report.log("made \(element.source)")
            }
        }
    }

    func rename(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await files.run {
            guard let destination = element.destination else { throw BackendFailure(.invalid, "no destination") }
            let from = try path(element.source)
            let to = try path(destination).place(parents: options.parents)
            let source: LocalName?
            do {
                source = try from.place()
            } catch let failure as BackendFailure where failure.errorClass == .notFound {
                source = nil
            }
            let (here, there) = (try source?.status(), try to.status())
            let plan = ChangePlan.rename(
                from: element.source, to: destination, source: here.map(FileFacts.init),
                destination: there.map(FileFacts.init), overwrite: options.overwrite, attempt: element.attempt)
            switch plan {
            case .fail(let failure): throw failure
            case .done(let log): report.log(log)
            case .go(let replace):
                guard let source else { throw BackendFailure(.notFound, "\(element.source) does not exist") }
                if let here, let there, here.st_ino == there.st_ino, here.st_dev == there.st_dev {
                    // Two names of it, and not one in two spellings: that would be gone.
                    let isOne = try source.isEntry(to) || source.isMountPoint || to.isMountPoint
                    guard here.st_nlink > 1, !isOne else {
                        throw BackendFailure(.invalid, "\(element.source) and \(destination) are one and the same")
                    }
                    // rename(2) of two names of one file does nothing, and says that it was done.
                    try source.unlink()
                } else {
                    try source.rename(to: to, replace: replace)
                }
                try to.directory.syncDirectory()
                try source.directory.syncDirectory()
                report.log("renamed \(element.source) to \(destination)")
            }
        }
    }
}
