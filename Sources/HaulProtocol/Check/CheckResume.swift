import Foundation
import HaulModel
import Synchronization

/// Four fifths of a large file are there when the backend is killed: the next attempt sends less than three tenths, and what
/// is there then is the file.
enum CheckResume {
    static func put(_ site: CheckSite) async throws {
        try declared(site, .put)
        let file = try await source(site)
        try await site.ok(.mkdir, site.path("resumed"))
        // As fast as it goes; where it is through before it can be cut off, at a rate that leaves the time.
        for (name, options) in [("file", [:]), ("slow", slow(site))] as [(String, [String: JSONValue])] {
            let element = ElementSpec(
                id: "r", source: file, destination: site.path("resumed/\(name)"), size: site.target.resumeBytes,
                partSeed: "check.resume.\(name)")
            guard try await goesOn(site, .put, element, options) else { continue }
            if try await site.tree(site.path("resumed"))[name]?.size != site.target.resumeBytes {
                throw CheckFailure("it is not whole")
            }
            try await CheckContent.expect(site, "resumed/\(name)", like: file)
            return try await site.noParts(site.path("resumed"))
        }
        throw tooFast
    }

    /// Both at once: each takes seconds in which little happens.
    static func getAndCopy(_ site: CheckSite) async throws {
        let operations = [.get, .copy].filter { (operation: ProtocolOperation) in
            site.target.discovered.manifest.operations[operation]?.resume == true
        }
        if operations.isEmpty { throw NotApplicable(reason: "the manifest declares no resume for get and copy") }
        let file = try await source(site)
        try await site.ok(.put, file, site.path("resumable/from"))
        try await site.each(operations) { try await $0 == .get ? get(site, file) : copy(site, file) }
    }

    private static func get(_ site: CheckSite, _ file: String) async throws {
        let folder = site.local("resumed-to")
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let element = ElementSpec(
            id: "g", source: site.path("resumable/from"), destination: folder + "/file",
            size: site.target.resumeBytes, partSeed: "check.resume.get")
        guard try await goesOn(site, .get, element, slow(site)) else { throw CheckFailure("\(tooFast.reason)") }
        try await CheckContent.compare(folder + "/file", file, "what was fetched")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        if left != ["file"] { throw CheckFailure("\(left) are left") }
    }

    private static func copy(_ site: CheckSite, _ file: String) async throws {
        let element = ElementSpec(
            id: "c", source: site.path("resumable/from"), destination: site.path("resumable/to/file"),
            size: site.target.resumeBytes, partSeed: "check.resume.copy")
        guard try await goesOn(site, .copy, element, slow(site)) else { throw CheckFailure("\(tooFast.reason)") }
        try await CheckContent.expect(site, "resumable/to/file", like: file)
        let left = try await site.tree(site.path("resumable/to")).keys.sorted()
        if left != ["file"] { throw CheckFailure("\(left) are left") }
    }

    private static let tooFast = NotApplicable(reason: "the file arrived before it could be cut off")

    private static func declared(_ site: CheckSite, _ operation: ProtocolOperation) throws {
        guard site.target.discovered.manifest.operations[operation]?.resume == true else {
            throw NotApplicable(reason: "the manifest declares no resume for \(operation.rawValue)")
        }
    }

    /// Four seconds.
    private static func slow(_ site: CheckSite) -> [String: JSONValue] {
        ["bandwidth": .int(max(1024, site.target.resumeBytes / 4))]
    }

    private static func source(_ site: CheckSite) async throws -> String {
        let (file, bytes) = (site.local("resumed"), site.target.resumeBytes)
        var status = stat()
        if stat(file, &status) != 0 || Int(status.st_size) != bytes {
            try await CheckContent.write(file, bytes: bytes)
        }
        return file
    }

    /// Runs an element twice, the first time until it is killed.
    /// - Returns: False where it was through before.
    private static func goesOn(
        _ site: CheckSite, _ operation: ProtocolOperation, _ element: ElementSpec, _ options: [String: JSONValue]
    ) async throws -> Bool {
        let bytes = site.target.resumeBytes
        let final = site.onDisk(operation, element.destination ?? "")
        let reached = Mutex(0)
        let cut = try await site.run(operation, [element], options) { event, run in
            guard case .progress(_, let progress) = event, progress.transferred >= bytes / 5 * 4 else { return }
            reached.withLock { $0 = progress.transferred }
            kill(-run.pid, SIGKILL)
        }[0]
        if cut.result.isOK { return false }
        guard cut.result.errorClass == .backend else {
            throw CheckFailure("a killed backend: \(cut.result.reason ?? "")")
        }
        if let final, access(final, F_OK) == 0 { throw CheckFailure("a partial file stands under the final name") }
        var again = element
        again.attempt = 2
        let second = try await site.run(operation, [again])[0]
        guard second.result.isOK else { throw CheckFailure("the next attempt: \(second.result.reason ?? "")") }
        let start = second.log.firstMatch(of: /going on from byte (\d+)/).flatMap { Int($0.1) } ?? 0
        if bytes - start >= bytes / 10 * 3 {
            throw CheckFailure("after \(reached.withLock { $0 }) of \(bytes) bytes it began anew at \(start)")
        }
        return true
    }
}

extension CheckSite {
    /// Where a destination is on this machine's disk; nil where it is on none.
    func onDisk(_ operation: ProtocolOperation, _ path: String) -> String? {
        operation == .get ? path : onDisk(path)
    }
}
