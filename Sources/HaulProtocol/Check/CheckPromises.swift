import Foundation
import HaulModel
import Synchronization

/// What a copy promises on every protocol, beyond that the bytes arrive.
enum CheckPromises {
    private static let past = Date(timeIntervalSince1970: 1_000_000_000)

    /// A file's time comes with it.
    static func times(_ site: CheckSite) async throws {
        let file = site.local("times")
        try write("timed", file, at: past)
        try await site.ok(.put, file, site.path("times/file"))
        guard let entry = try await site.tree(site.path("times"))["file"] else {
            throw CheckFailure("it is not listed")
        }
        guard entry.modified == Int(past.timeIntervalSince1970) else {
            throw NotApplicable(reason: "a put file has a time of its own, not that of its source")
        }
        let back = site.local("times-back")
        try? FileManager.default.removeItem(atPath: back)
        defer { try? FileManager.default.removeItem(atPath: back) }
        try await site.ok(.get, site.path("times/file"), back)
        var status = stat()
        guard stat(back, &status) == 0, status.st_mtim.tv_sec == Int(past.timeIntervalSince1970) else {
            throw CheckFailure("what comes back has another time")
        }
    }

    /// A file's permissions come with it.
    static func permissions(_ site: CheckSite) async throws {
        let file = site.local("permitted")
        try write("permitted", file, at: past)
        for mode in [0o640, 0o700] {
            chmod(file, mode_t(mode))
            let name = String(mode, radix: 8)
            try await site.ok(.put, file, site.path("permitted/\(name)"))
            guard let found = try await site.tree(site.path("permitted"))[name] else {
                throw CheckFailure("it is not listed")
            }
            guard found.mode & 0o777 == mode else {
                throw NotApplicable(reason: "a put file has permissions of its own, not those of its source")
            }
        }
    }

    /// Every checksum that may be asked for is the content's, whoever computes it, in put and get as in copy.
    static func checksums(_ site: CheckSite) async throws {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let file = site.local("sums")
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        for algorithm in StreamHash.Algorithm.allCases {
            let hash = try StreamHash(algorithm)
            hash.update(bytes)
            let sum = hash.finish()
            let options: [String: JSONValue] = [
                "verify": "checksum", "checksum_algorithm": .string(algorithm.rawValue),
            ]
            let name = "sums/\(algorithm.rawValue)"
            let answers = [
                try await site.ok(.put, file, site.path(name), options: options),
                try await site.ok(.get, site.path(name), site.local("sums-back"), options: options),
            ]
            try? FileManager.default.removeItem(atPath: site.local("sums-back"))
            if let odd = answers.first(where: { $0.result.checksum != sum }) {
                throw CheckFailure("the checksum is \(odd.result.checksum ?? "missing"), not \(sum)")
            }
            // Of what the element itself has to have.
            try await site.ok(.get, site.path(name), site.local("sums-back"), checksum: sum)
            try? FileManager.default.removeItem(atPath: site.local("sums-back"))
            let wrong =
                algorithm.rawValue + ":" + String(repeating: "0", count: sum.utf8.count - algorithm.rawValue.count - 1)
            try await site.fails(.checksum, .get, site.path(name), site.local("sums-back"), checksum: wrong)
            try await site.fails(.checksum, .put, file, site.path(name + "-wrong"), checksum: wrong)
            if FileManager.default.fileExists(atPath: site.local("sums-back")) {
                throw CheckFailure("what has a wrong checksum stands under its final name")
            }
        }
        let left = try await site.tree(site.path("sums")).keys.filter {
            $0.hasSuffix("-wrong") || $0.contains(PartFile.prefix)
        }
        if !left.isEmpty { throw CheckFailure("\(left.sorted()) were left behind") }
    }

    /// Four fifths of a large file are there when the backend is killed: the next attempt sends less than three tenths,
    /// and what is there then is the file.
    static func resume(_ site: CheckSite) async throws {
        guard site.target.discovered.manifest.operations[.put]?.resume == true else {
            throw NotApplicable(reason: "the manifest declares no resume for put")
        }
        let bytes = site.target.resumeBytes
        let file = site.local("resumed")
        try await CheckContent.write(file, bytes: bytes)
        defer { unlink(file) }
        try await site.ok(.mkdir, site.path("resumed"))
        // As fast as it goes; where it is through before it can be cut off, at a rate that leaves the time.
        let ways: [(name: String, options: [String: JSONValue])] = [
            ("file", [:]), ("slow", ["bandwidth": .int(max(1, bytes / 4))]),
        ]
        for (name, options) in ways {
            var element = ElementSpec(
                id: "r", source: file, destination: site.path("resumed/\(name)"), size: bytes,
                partSeed: "check.resume.\(name)")
            guard let reached = try await cutOff(site, element, options) else { continue }
            element.attempt = 2
            let second = try await site.run(.put, [element])[0]
            guard second.result.isOK else { throw CheckFailure("the next attempt: \(second.result.reason ?? "")") }
            let start = second.log.firstMatch(of: /going on from byte (\d+)/).flatMap { Int($0.1) } ?? 0
            if bytes - start >= bytes / 10 * 3 {
                throw CheckFailure("after \(reached) of \(bytes) bytes it began anew at \(start)")
            }
            if try await site.tree(site.path("resumed"))[name]?.size != bytes {
                throw CheckFailure("it is not whole")
            }
            try await CheckContent.expect(site, "resumed/\(name)", like: file)
            return try await site.noParts(site.path("resumed"))
        }
        throw NotApplicable(reason: "the file arrived before it could be cut off")
    }

    /// Kills the backend that puts a file once four fifths are there.
    /// - Returns: How many bytes it said; nil where it was through.
    private static func cutOff(
        _ site: CheckSite, _ element: ElementSpec, _ options: [String: JSONValue]
    ) async throws -> Int? {
        let bytes = element.size ?? 0
        let reached = Mutex(0)
        let answer = try await site.run(.put, [element], options) { event, run in
            guard case .progress(_, let progress) = event, progress.transferred >= bytes / 5 * 4 else { return }
            reached.withLock { $0 = progress.transferred }
            kill(-run.pid, SIGKILL)
        }[0]
        return answer.result.isOK ? nil : reached.withLock { $0 }
    }

    /// Links, made beside the protocol.
    static func links(_ site: CheckSite) async throws {
        guard let disk = site.target.disk else {
            throw NotApplicable(reason: "the site's disk is not this machine's, so no link can be made there")
        }
        try await CheckCopies.put(site, Array("behind".utf8), "links/real")
        let folder = disk + site.path("links").dropFirst(site.target.base.count)
        guard symlink("real", folder + "/link") == 0 else {
            throw NotApplicable(reason: "no link can be made on its disk: \(String(cString: strerror(errno)))")
        }
        defer { unlink(folder + "/link") }
        guard let entry = try await site.tree(site.path("links"))["link"], entry.kind == .link else {
            throw NotApplicable(reason: "links are not seen as links")
        }
        let back = site.local("link-back")
        try await site.fails(.invalid, .get, site.path("links/link"), back)
        try await site.ok(.get, site.path("links/link"), back, options: ["symlinks": "follow"])
        defer { unlink(back) }
        guard FileManager.default.contents(atPath: back) == Data("behind".utf8) else {
            throw CheckFailure("a link that is followed gives something else")
        }
        let followed = try await site.ok(.list, site.path("links"), options: ["symlinks": "follow"]).chunks
        guard followed.flatMap(\.entries).first(where: { $0.name == "link" })?.kind == .file else {
            throw CheckFailure("a link that is followed is not listed as what it leads to")
        }
        // The link goes, not what it leads to.
        try await site.ok(.remove, site.path("links/link"))
        try await CheckCopies.expect(site, "links/real", Array("behind".utf8))
    }

    private static func write(_ text: String, _ file: String, at date: Date) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
    }
}
