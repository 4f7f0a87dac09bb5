import Foundation
import HaulModel

/// The streamed `get` and `put` of a protocol, against each other over a pipe and alone: `protocols/README.md`, "Between two
/// protocols".
enum CheckStream {
    static func whole(_ site: CheckSite) async throws {
        try declared(site)
        let file = site.local("streamed")
        try await CheckContent.write(file, bytes: site.target.largeBytes)
        try await site.ok(.put, file, site.path("stream/from"))
        try await site.ok(.mkdir, site.path("stream/to"))
        let options: [String: JSONValue] = ["verify": "checksum"]
        let relay = try await CheckRelay.run(site, "stream/from", "stream/to/file", options)
        try relay.ok(bytes: site.target.largeBytes)
        guard relay.questions.first == .facts else { throw CheckFailure("the put asks before it knows what there is") }
        try await CheckContent.expect(site, "stream/to/file", like: file)
        // There already: nothing is asked for but what is needed to see that.
        let again = try await CheckRelay.run(site, "stream/from", "stream/to/file")
        try again.ok(bytes: 0)
        if again.ranges.contains(where: { $0.to - $0.from > 0 }) { throw CheckFailure("what is there was read again") }
        let missing = try await CheckRelay.run(site, "stream/none", "stream/to/none")
        guard missing.result?.errorClass == .notFound else {
            throw CheckFailure("a source that is not there: \(missing.result?.reason ?? "ok")")
        }
        try await site.noParts(site.path("stream/to"))
        if try await site.tree(site.path("stream/to")).count != 1 { throw CheckFailure("a failed put leaves a file") }
    }

    /// The put is killed when a quarter is there; what it left is gone on from, as far as both ends promise that.
    static func resumed(_ site: CheckSite) async throws {
        try declared(site)
        let (file, bytes) = (site.local("streamed"), site.target.largeBytes)
        try await CheckContent.write(file, bytes: bytes)
        try await site.ok(.put, file, site.path("streamed/from"))
        try await site.ok(.mkdir, site.path("streamed/to"))
        let slow: [String: JSONValue] = ["bandwidth": .int(max(1, bytes / 2))]
        let first = try await CheckRelay.run(site, "streamed/from", "streamed/to/file", slow, killAt: bytes / 4)
        guard let reason = first.result?.reason else { throw CheckFailure("a put that was killed ended well") }
        guard first.result?.errorClass == .backend else { throw CheckFailure("a put that was killed: \(reason)") }
        let left = try await site.tree(site.path("streamed/to"))
        if left.keys.contains("file") { throw CheckFailure("a partial file stands under the final name") }
        let part = left.first { $0.key.hasPrefix(PartFile.prefix) }?.value.size ?? 0
        let second = try await CheckRelay.run(
            site, "streamed/from", "streamed/to/file", ["verify": "checksum"], attempt: 2)
        try second.ok(bytes: bytes)
        let operations = site.target.discovered.manifest.operations
        // Where parts are nothing that is seen, nobody knows how much a kill leaves.
        if part > 0, operations[.put]?.resume == true, operations[.get]?.resume == true {
            // The end of the part, to compare it, and the rest: for the checksum the beginning may come too, once.
            guard second.ranges.contains(where: { $0.from > 0 }) else {
                throw CheckFailure("\(part) bytes were there, and all were asked for again: \(second.ranges)")
            }
        }
        try await CheckContent.expect(site, "streamed/to/file", like: file)
        try await site.noParts(site.path("streamed/to"))
    }

    /// A source that is asked for more than one thing, and whose bytes nobody wants any more.
    static func source(_ site: CheckSite) async throws {
        try declared(site)
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: ($0 & 0xff) ^ ($0 >> 8)) }
        try await CheckCopies.put(site, bytes, "source/file")
        let asking = try await CheckAsking.start(site, "source/file")
        do {
            guard case .facts(let facts?, _) = try await asking.ask(.facts), facts.kind == .file,
                facts.size == bytes.count
            else { throw CheckFailure("the facts of a source are not its") }
            // Left after its first bytes: not an end of the element.
            let (left, _) = try await asking.read(0, bytes.count, take: 1000)
            guard case .sent(let sent, _) = left, sent <= bytes.count else {
                throw CheckFailure("a pipe that nobody reads: \(left)")
            }
            for (from, to) in [(0, bytes.count), (1_000_000, 1_500_000)] {
                let (answer, data) = try await asking.read(from, to, take: .max)
                if from > 0, answer == .notResumable { continue }
                guard case .sent(to - from, _) = answer, data.elementsEqual(bytes[from..<to]) else {
                    throw CheckFailure("bytes \(from) to \(to): \(answer), \(data.count) in the pipe")
                }
            }
        } catch {
            await asking.end()
            throw error
        }
        guard let result = await asking.end(), result.isOK else {
            throw CheckFailure("a source that was told of the end did not end well")
        }
    }

    private static func declared(_ site: CheckSite) throws {
        for operation in [.get, .put] as [ProtocolOperation] {
            guard site.target.discovered.manifest.operations[operation]?.stream == true else {
                throw NotApplicable(reason: "the manifest declares no stream for get and put")
            }
        }
    }
}
