import Foundation
import HaulModel
import HaulProtocol

/// One file at a GridFTP site, as an end of a copy.
struct RemoteEnd: CopyEnd {
    /// The checksum of a larger one is asked for on a connection of its own.
    static let small = 4 << 20
    /// What was looked at so long ago was looked at just before.
    private static let moment = Duration.milliseconds(100)

    let site: RemoteSite
    let path: RemotePath
    let features: ServerFeatures
    /// Of this path, by who moved its bytes.
    let arrival = Arrival()

    var shown: String { path.shown }

    var traits: CopyTraits {
        CopyTraits(
            publication: .rename, keepsTimes: features.setsTimes, keepsParts: features.movesParts,
            unsure: arrival.unsure,
            checksums: StreamHash.Algorithm.allCases.filter { features.checksums.contains($0.rawValue) })
    }

    /// - Parameter path: A job's; checked.
    init(_ text: String, at site: RemoteSite) async throws {
        self.site = site
        path = try await site.server.path(text)
        features = try await site.server.features()
    }

    private init(_ end: RemoteEnd, _ path: RemotePath) {
        site = end.site
        features = end.features
        self.path = path
    }

    func facts(follow: Bool) async throws -> FileFacts? {
        try await site.lookout.look(path, .lately)?.facts(follow: follow)
    }

    func sibling(_ name: String) -> RemoteEnd { RemoteEnd(self, path.sibling(name)) }

    func prepareParent(make: Bool, isMissing: Bool) async throws {
        if isMissing {
            site.directories.forget()
            site.lookout.forget()
        }
        if make { return try await site.makeDirectories(path.parent) }
        guard let found = try await site.lookout.look(path.parent, .lately) else {
            throw BackendFailure(
                .notFound,
                "\(path.parent.shown), the destination's directory, does not exist (option parents makes it)")
        }
        guard found.kind == .directory else {
            throw BackendFailure(.invalid, "\(path.parent.shown) is not a directory")
        }
    }

    /// GridFTP renames over what is there: where that must not be, it is looked at just before. The look at the part may
    /// have been a listing that tells it already.
    func publish(as target: RemoteEnd, replace: Bool) async throws -> Bool {
        let just = ContinuousClock.now - Self.moment
        if !replace, try await site.lookout.look(target.path, .after(just)) != nil {
            throw BackendFailure(.exists, "\(target.shown): something is there by now")
        }
        let replies = try await site.change(
            ["RNFR \(path.absolute)", "RNTO \(target.path.absolute)"], of: path, target.path)
        guard replies[1].isSuccess else {
            let said = replies[0].code < 400 ? replies[1] : replies[0]
            throw ReplyTable.failure(said, "cannot rename \(path.name) to \(target.shown)")
        }
        return true
    }

    func discard() async throws {
        let reply = try await site.change(["DELE \(path.absolute)"], of: path)[0]
        if reply.isSuccess { return }
        let failure = ReplyTable.failure(reply, "cannot remove \(path.shown)")
        if failure.errorClass != .notFound { throw failure }
    }

    /// A server says nothing while it computes (14 s for 4 GiB were seen), so for a large file this asks whether it is
    /// still there, and lets that count as progress.
    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        guard features.checksums.contains(algorithm.rawValue) else { return nil }
        let command = "CKSM \(algorithm.rawValue.uppercased()) 0 -1 \(path.absolute)"
        let reply: FTPReply
        if order.facts.size <= Self.small {
            reply = try await site.server.ask(command)
        } else {
            reply = try await LongQuestion(server: site.server, report: order.report, size: order.facts.size).ask(
                command)
        }
        guard reply.isSuccess else { throw ReplyTable.failure(reply, "no checksum of \(shown)") }
        let digits = reply.firstText.split(separator: " ").first.map { $0.lowercased() } ?? ""
        return "\(algorithm.rawValue):\(digits)"
    }

    func reader(_ order: ReadOrder) async throws -> any CopyReader {
        try await RemoteReader.open(path, order, at: site.server, movesParts: features.movesParts)
    }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        let found = try await site.lookout.look(path, .now)
        if let found, found.facts(follow: false).kind != .file {
            throw BackendFailure(.exists, "\(shown) is there and is not a file")
        }
        return RemoteWriter(self, existing: features.movesParts ? found?.size ?? 0 : 0)
    }

    /// A lane has seen to the time of a small file already, and one look tells of many whether it has come to that.
    func settle(_ source: FileFacts) async throws -> FileFacts? {
        var seen = arrival.take()
        if seen == nil { seen = try await site.lookout.look(path, .lately) }
        guard let found = seen else { return nil }
        guard settling(source).isEmpty || found.modified == source.modified else { return try await settleNow(source) }
        try await keepMode(source, found)
        return found.facts(follow: false)
    }

    /// Time and permissions of the source, as far as the server sets them, in one journey.
    func settleNow(_ source: FileFacts) async throws -> FileFacts? {
        let replies = try await site.change(settling(source) + ["MLST \(path.absolute)"], of: path)
        guard let last = replies.last, let found = try Server.fact(last, path) else { return nil }
        try await keepMode(source, found)
        return found.facts(follow: false)
    }

    /// What gives it the time of its source.
    func settling(_ source: FileFacts) -> [String] {
        guard features.setsTimes, let modified = source.modified, let stamp = FactLine.stamp(modified) else {
            return []
        }
        return ["MFMT \(stamp) \(path.absolute)"]
    }

    private func keepMode(_ source: FileFacts, _ found: FactLine) async throws {
        guard let wanted = source.permissions, let there = found.permissions, there & 0o777 != wanted else { return }
        let mode = String(wanted, radix: 8)
        // A server that keeps its own modes has the content all the same.
        _ = try await site.change(["SITE CHMOD 0\(mode) \(path.absolute)"], of: path)
    }
}
