import Foundation
import HaulModel

/// put, get and copy of small files.
enum CheckCopies {
    /// Writes bytes into a local file and puts it at the site.
    @discardableResult
    static func put(
        _ site: CheckSite, _ bytes: [UInt8], _ name: String, attempt: Int = 1, _ options: [String: JSONValue] = [:]
    ) async throws -> CheckSite.Answer {
        try Data(bytes).write(to: URL(fileURLWithPath: site.local("source")))
        return try await site.ok(.put, site.local("source"), site.path(name), attempt: attempt, options: options)
    }

    static func fetch(_ site: CheckSite, _ name: String) async throws -> Data {
        let file = site.local("fetched-\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await site.ok(.get, site.path(name), file)
        return try Data(contentsOf: URL(fileURLWithPath: file))
    }

    static func expect(_ site: CheckSite, _ name: String, _ bytes: [UInt8]) async throws {
        let found = try await fetch(site, name)
        if !found.elementsEqual(bytes) {
            throw CheckFailure("\(name) holds \(found.count) bytes that differ from the \(bytes.count) expected")
        }
    }

    static func putAndGet(_ site: CheckSite) async throws {
        try site.declares(.get)
        let content: [[UInt8]] = [
            [], [0], Array("text\r\nand more\n".utf8), (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) },
        ]
        for (index, bytes) in content.enumerated() {
            let answer = try await put(site, bytes, "p/\(index)")
            if answer.result.transferred != bytes.count {
                throw CheckFailure("put of \(bytes.count) bytes says that \(answer.result.transferred) went")
            }
            try await expect(site, "p/\(index)", bytes)
        }
        try await site.noParts(site.path("p"))
    }

    static func existing(_ site: CheckSite) async throws {
        let (old, new) = (Array("old".utf8), Array("newer".utf8))
        try await put(site, old, "e/file")
        try await put(site, old, "e/file")
        try await put(site, old, "e/file", attempt: 2)
        try Data(new).write(to: URL(fileURLWithPath: site.local("source")))
        try await site.fails(.exists, .put, site.local("source"), site.path("e/file"))
        try await expect(site, "e/file", old)
        try await put(site, new, "e/file", ["overwrite": "different"])
        try await expect(site, "e/file", new)
        try await put(site, Array("equal".utf8), "e/file", ["overwrite": "always", "verify": "none"])
        try await expect(site, "e/file", Array("equal".utf8))
        try await site.fails(.exists, .put, site.local("source"), site.path("e"), options: ["overwrite": "always"])
        try await site.noParts(site.path("e"))
    }

    static func parents(_ site: CheckSite) async throws {
        try Data("x".utf8).write(to: URL(fileURLWithPath: site.local("source")))
        try await site.fails(.notFound, .put, site.local("source"), site.path("none/x"), options: ["parents": false])
        // Neighbours that need the same directories.
        let elements = (0..<20).map {
            ElementSpec(id: "\($0)", source: site.local("source"), destination: site.path("deep/a/b/c/\($0)"))
        }
        for answer in try await site.run(.put, elements) where !answer.result.isOK {
            throw CheckFailure("put into a missing directory: \(answer.result.reason ?? "")")
        }
    }

    static func missing(_ site: CheckSite) async throws {
        let file = site.local("nothing")
        try await site.fails(.notFound, .get, site.path("not-there"), file)
        try await site.fails(.invalid, .get, site.top, file)
        if FileManager.default.fileExists(atPath: file) { throw CheckFailure("a failed get leaves a file") }
    }

    static func copy(_ site: CheckSite) async throws {
        try site.declares(.copy)
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await put(site, bytes, "c/from")
        try await put(site, [], "c/empty")
        let (from, to) = (site.path("c/from"), site.path("c/x/to"))
        try await site.ok(.copy, from, to)
        try await expect(site, "c/x/to", bytes)
        try await site.ok(.copy, from, to)
        try await site.ok(.copy, from, to, attempt: 2)
        try await site.ok(.copy, site.path("c/empty"), site.path("c/x/empty"))
        try await expect(site, "c/x/empty", [])
        try await site.fails(.exists, .copy, site.path("c/empty"), to)
        try await site.fails(.notFound, .copy, site.path("c/none"), site.path("c/x/none"))
        try await site.fails(.invalid, .copy, site.path("c/x"), site.path("c/y"))
        if try await site.tree(site.path("c/x")).count != 2 { throw CheckFailure("a failed copy leaves a file") }
    }

    static func checksum(_ site: CheckSite) async throws {
        let sums = site.target.discovered.manifest.operations[.copy]?.checksums ?? []
        guard let sum = sums.first else { throw NotApplicable(reason: "the manifest declares no checksums for copy") }
        let options: [String: JSONValue] = ["verify": "checksum"]
        try await put(site, Array("a".utf8), "s/a")
        try await put(site, Array("b".utf8), "s/b")
        let answer = try await site.ok(.copy, site.path("s/a"), site.path("s/c"), options: options)
        guard answer.result.checksum?.hasPrefix("\(sum):") == true else {
            throw CheckFailure("the result's checksum is \(answer.result.checksum ?? "missing"), not one of \(sum)")
        }
        // Equal in size, not in content.
        try await site.fails(.exists, .copy, site.path("s/b"), site.path("s/c"), options: options)
        try await site.ok(.copy, site.path("s/a"), site.path("s/c"), options: options)
        let wrong = sum + ":" + String(repeating: "0", count: 32)
        try await site.fails(.checksum, .copy, site.path("s/a"), site.path("s/d"), checksum: wrong, options: options)
        try await site.noParts(site.path("s"))
        if try await site.tree(site.path("s")).keys.contains("d") { throw CheckFailure("a wrong copy stays") }
    }
}
