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
        let failure = Complaint.failure(reply.complaint, "cannot look at \(path.text)")
        if failure.errorClass == .notFound { return nil }
        // Below a file nothing is.
        if failure.errorClass == .invalid, reply.complaint.contains("not a directory") { return nil }
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
        if reply.complaint.contains("Invalid response") {
            throw BackendFailure(
                .invalid, "\(shown) cannot be listed: it holds a name with a line break, or the server's answer is none"
            )
        }
        throw Complaint.failure(reply.complaint, "cannot list \(shown)")
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

    func remove(_ path: RemotePath) async throws { try await run("rm", [path.quoted], "cannot remove \(path.text)") }

    func removeDirectory(_ path: RemotePath) async throws {
        try await run("rmdir", [path.quoted], "cannot remove \(path.text)")
    }

    func makeDirectory(_ path: RemotePath, parents: Bool) async throws {
        try await run("mkdir", (parents ? ["-p"] : []) + ["-mrwxr-xr-x", path.quoted], "cannot make \(path.text)")
    }

    /// Renames, and replaces what is there: XRootD has no other way.
    func move(_ from: RemotePath, to: RemotePath) async throws {
        try await run("mv", [from.quoted, to.quoted], "cannot rename \(from.text) to \(to.text)")
    }

    func setPermissions(_ path: RemotePath, _ permissions: Int) async throws {
        let letters = "rwxrwxrwx".enumerated().map { permissions & (0o400 >> $0.offset) == 0 ? "-" : $0.element }
        try await run("chmod", [path.quoted, String(letters)], "cannot set the permissions of \(path.text)")
    }

    /// The checksum that the server has, or computes: `md5:HEX`; nil where it has no such.
    func checksum(_ path: RemotePath, _ algorithm: StreamHash.Algorithm) async throws -> String? {
        let word = RemotePath.quoted("\(path.text)?cks.type=\(algorithm.rawValue)")
        let reply = try await pool.run("query checksum \(word)") { String(decoding: $0, as: UTF8.self) }
        if !reply.complaint.isEmpty {
            let failure = Complaint.failure(reply.complaint, "no checksum of \(path.text)")
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
            throw Complaint.failure(reply.complaint, "cannot reach \(pool.site.name)")
        }
        guard reply.complaint.isEmpty, let value = reply.values.first, value != word else { return nil }
        return value
    }

    private func run(_ command: String, _ words: [String], _ what: String) async throws {
        let reply = try await pool.run(([command] + words).joined(separator: " ")) { _ in Bool?.none }
        if !reply.complaint.isEmpty { throw Complaint.failure(reply.complaint, what) }
    }
}
