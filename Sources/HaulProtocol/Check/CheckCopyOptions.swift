import Foundation
import HaulModel

/// The options of a copy that say how, not what.
enum CheckCopyOptions {
    /// Only what differs is copied, and what differs gives way without being told to.
    static func sync(_ site: CheckSite) async throws {
        let sync: [String: JSONValue] = ["sync": true]
        let now = Int(Date().timeIntervalSince1970)
        @Sendable func put(_ text: String, modified: Int, _ more: [String: JSONValue] = [:]) async throws -> Int {
            let file = site.local("source")
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let date = Date(timeIntervalSince1970: Double(modified))
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
            let options = sync.merging(more) { $1 }
            return try await site.ok(.put, file, site.path("y/file"), options: options).result.transferred
        }
        func expect(_ text: String) async throws { try await CheckCopies.expect(site, "y/file", Array(text.utf8)) }
        _ = try await put("one", modified: now - 100)
        try await expect("one")
        if try await put("one", modified: now - 100) != 0 { throw CheckFailure("what is equal was moved again") }
        // Another size; then another time, which is a later one also where the site keeps times of its own.
        _ = try await put("three", modified: now - 200)
        try await expect("three")
        _ = try await put("later", modified: now + 3600)
        try await expect("later")
        if let sum = site.target.discovered.manifest.operations[.put]?.checksums.first {
            _ = try await put(
                "other", modified: now + 3600, ["verify": "checksum", "checksum_algorithm": .string(sum)])
            try await expect("other")
        }
        _ = try await put("again", modified: now + 3600, ["overwrite": "always"])
        try await expect("again")
        try await site.noParts(site.path("y"))
    }

    /// Each checksum that the manifest names, as what is compared and as what an element promises.
    static func algorithms(_ site: CheckSite) async throws {
        let named = site.target.discovered.manifest.operations[.copy]?.checksums ?? []
        let known = named.compactMap(StreamHash.Algorithm.init)
        if known.isEmpty { throw NotApplicable(reason: "the manifest declares no checksums for copy") }
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 11) }
        try await CheckCopies.put(site, bytes, "a/from")
        for algorithm in known {
            let hash = try StreamHash(algorithm)
            hash.update(bytes)
            let sum = hash.finish()
            let to = site.path("a/\(algorithm.rawValue)")
            let options: [String: JSONValue] = [
                "verify": "checksum", "checksum_algorithm": .string(algorithm.rawValue),
            ]
            let answer = try await site.ok(.copy, site.path("a/from"), to, options: options)
            if answer.result.checksum != sum {
                throw CheckFailure("\(answer.result.checksum ?? "no checksum") is told, not \(sum)")
            }
            let promised = try await site.one(.copy, site.path("a/from"), to + "-promised", checksum: sum)
            if !promised.result.isOK { throw CheckFailure("\(sum): \(promised.result.reason ?? "")") }
            let wrong = String(sum.dropLast()) + (sum.last == "0" ? "1" : "0")
            try await site.fails(.checksum, .copy, site.path("a/from"), to + "-wrong", checksum: wrong)
        }
        try await site.noParts(site.path("a"))
        if try await site.tree(site.path("a")).keys.contains(where: { $0.hasSuffix("-wrong") }) {
            throw CheckFailure("a wrong copy stays")
        }
    }

    /// No faster than `bandwidth`, whoever moves the bytes, and as whole as ever.
    static func bandwidth(_ site: CheckSite) async throws {
        let bytes = (0..<131_072).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let (file, back) = (site.local("slow"), site.local("slow-back"))
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        defer { for path in [file, back] { unlink(path) } }
        try await site.ok(.put, file, site.path("b/from"))
        let slow: [String: JSONValue] = ["bandwidth": 131_072, "streams": 2]
        let ways: [ProtocolOperation: (from: String, to: String)] = [
            .put: (file, site.path("b/put")), .get: (site.path("b/from"), back),
            .copy: (site.path("b/from"), site.path("b/copy")),
        ]
        // All at once: each takes a second.
        try await site.each([.put, .get, .copy]) { operation in
            let began = ContinuousClock.now
            try await site.ok(operation, ways[operation]?.from ?? "", ways[operation]?.to, options: slow)
            let took = ContinuousClock.now - began
            if took < .milliseconds(500) { throw CheckFailure("128 KiB at 128 KiB/s took \(took)") }
        }
        for operation in [.put, .copy] as [ProtocolOperation]
        where site.target.discovered.manifest.operations[operation] != nil {
            try await CheckCopies.expect(site, "b/\(operation.rawValue)", bytes)
        }
        let hasGet = site.target.discovered.manifest.operations[.get] != nil
        guard !hasGet || FileManager.default.contents(atPath: back) == Data(bytes) else {
            throw CheckFailure("get: it differs")
        }
    }
}
