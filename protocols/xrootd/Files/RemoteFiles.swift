import Foundation
import HaulModel
import HaulProtocol

/// The files of a site, by commands of xrdfs.
struct RemoteFiles: Sendable {
    let pool: XrdfsPool

    func path(_ given: String) throws -> RemotePath { try RemotePath(given, home: pool.site.home) }

    /// What is at a path, links followed, as the server does it; nil for nothing.
    func stat(_ path: RemotePath) async throws -> Stat? {
        let reply = try await pool.run("stat \(path.quoted)") { String(decoding: $0, as: UTF8.self) }
        if reply.complaint.isEmpty { return try Stat(reply.values, of: path.text) }
        let failure = Complaint.failure(reply.complaint, "cannot look at \(path.text)", about: [path.text])
        if failure.errorClass == .notFound { return nil }
        // Below a file nothing is.
        if failure.errorClass == .invalid, said(reply.complaint, "not a directory", path) { return nil }
        throw failure
    }

    /// - Parameter shown: The directory as the listing names it.
    func entries(_ path: RemotePath, shown: String) async throws -> [ListingEntry] {
        let reply = try await pool.run("ls -l \(path.quoted)") {
            try ListingLine.entry($0, in: path, shown: shown)
        }
        if reply.complaint.isEmpty {
            try await refuseCut(reply.values, in: path, shown: shown)
            return reply.values
        }
        if said(reply.complaint, "invalid response", path) {
            throw BackendFailure(
                .invalid, "\(shown) cannot be listed: it holds a name with a line break, or the server's answer is none"
            )
        }
        throw Complaint.failure(reply.complaint, "cannot list \(shown)", about: [path.text])
    }

    private func said(_ complaint: String, _ words: String, _ path: RemotePath) -> Bool {
        SaidText(complaint, about: [path.text]).says(words)
    }

    /// A server cuts a name of 255 bytes, and lists what is left, which is another file's or nobody's.
    private func refuseCut(_ entries: [ListingEntry], in path: RemotePath, shown: String) async throws {
        let doubtful = entries.filter { $0.name.utf8.count == RemotePath.longestName }
        if doubtful.isEmpty { return }
        // One of each name is shown otherwise.
        let all = try await pool.run("ls -D \(path.quoted)") { Data($0) }.values
        for entry in doubtful {
            let file = path.child(entry.name)
            let count = all.count { $0 == Data(file.text.utf8) }
            if count < 2, try await stat(file) != nil { continue }
            throw BackendFailure(
                .invalid,
                "\(shown) holds a name of more than \(RemotePath.longestName) bytes, \"\(entry.name.prefix(60))...\", "
                    + "which the server lists cut: rename it at the site")
        }
    }

    func remove(_ path: RemotePath) async throws { try await run("rm", [path], "cannot remove \(path.text)") }

    func removeDirectory(_ path: RemotePath) async throws {
        try await run("rmdir", [path], "cannot remove \(path.text)")
    }

    func makeDirectory(_ path: RemotePath, parents: Bool) async throws {
        try await run("mkdir" + (parents ? " -p" : "") + " -mrwxr-xr-x", [path], "cannot make \(path.text)")
    }

    /// Renames, and replaces what is there: XRootD has no other way.
    func move(_ from: RemotePath, to: RemotePath) async throws {
        try await run("mv", [from, to], "cannot rename \(from.text) to \(to.text)")
    }

    func setPermissions(_ path: RemotePath, _ permissions: Int) async throws {
        let letters = "rwxrwxrwx".enumerated().map { permissions & (0o400 >> $0.offset) == 0 ? "-" : $0.element }
        try await run("chmod", [path], "cannot set the permissions of \(path.text)", last: String(letters))
    }

    /// The checksum that the server has, or computes: `md5:HEX`; nil where it has no such.
    func checksum(_ path: RemotePath, _ algorithm: StreamHash.Algorithm) async throws -> String? {
        let word = RemotePath.quoted("\(path.text)?cks.type=\(algorithm.rawValue)")
        let reply = try await pool.run("query checksum \(word)") { String(decoding: $0, as: UTF8.self) }
        if !reply.complaint.isEmpty {
            let failure = Complaint.failure(reply.complaint, "no checksum of \(path.text)", about: [path.text])
            if [.unknown, .invalid].contains(failure.errorClass) { return nil }
            throw failure
        }
        let words = (reply.values.first ?? "").split(separator: " ")
        guard words.count == 2, words[0] == algorithm.rawValue, words[1].allSatisfy(\.isHexDigit) else { return nil }
        return "\(algorithm.rawValue):\(words[1].lowercased())"
    }

    /// The value of a word of the server's configuration; nil where it has none (it then repeats the word).
    func configuration(_ word: String) async throws -> String? {
        let reply = try await pool.run("query config \(word)") { String(decoding: $0, as: UTF8.self) }
        if Complaint.isUnconnected(reply.complaint) {
            throw Complaint.failure(reply.complaint, "cannot reach \(pool.site.name)", about: [])
        }
        guard reply.complaint.isEmpty, let value = reply.values.first, value != word else { return nil }
        return value
    }

    private func run(
        _ command: String, _ paths: [RemotePath], _ what: String, last: String? = nil
    ) async throws {
        let words = [command] + paths.map(\.quoted) + (last.map { [$0] } ?? [])
        let reply = try await pool.run(words.joined(separator: " ")) { _ in Bool?.none }
        if !reply.complaint.isEmpty {
            throw Complaint.failure(reply.complaint, what, about: paths.map(\.text))
        }
    }
}
