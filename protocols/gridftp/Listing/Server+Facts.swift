import Foundation
import HaulModel
import HaulProtocol

extension Server {
    /// What stands at a path; nil for nothing.
    nonisolated func look(_ path: RemotePath) async throws -> FactLine? {
        try Self.fact(try await ask("MLST \(path.absolute)"), path)
    }

    static func fact(_ reply: FTPReply, _ path: RemotePath) throws -> FactLine? {
        if reply.isSuccess, reply.lines.count >= 3 {
            // A name with a line break cannot have been asked for.
            let line = reply.lines[1]
            if let fact = FactLine(line.first == UInt8(ascii: " ") ? line.dropFirst() : line) { return fact }
        }
        let failure = ReplyTable.failure(reply, "cannot look at \(path.shown)")
        if failure.errorClass == .notFound { return nil }
        throw failure
    }

    /// A directory's entries, without itself and its parent.
    /// - Throws: ``BackendFailure`` (`invalid`) where a name in it broke a line of the listing.
    nonisolated func list(_ path: RemotePath) async throws -> DirectoryFacts {
        let features = try await features()
        let what = "cannot list \(path.shown)"
        guard features.listsInReplies else {
            let lines = try await DataTransfer.lines(of: "MLSD \(path.absolute)", what: what, at: self)
            return try DirectoryFacts(lines[...], of: path.shown, indented: false)
        }
        let reply = try await ask("MLSC \(path.absolute)")
        guard reply.isSuccess, reply.lines.count >= 2 else { throw ReplyTable.failure(reply, what) }
        return try DirectoryFacts(reply.lines.dropFirst().dropLast(), of: path.shown, indented: true)
    }
}

/// What a listing of a directory tells.
struct DirectoryFacts: Sendable {
    var itself: FactLine?
    var entries: [FactLine] = []
    /// Names that are there and not listed: links that lead nowhere.
    var unlisted = 0

    /// - Parameter indented: Each line begins with a blank, as those of a reply do (MLSC).
    init(_ lines: ArraySlice<Data>, of directory: String, indented: Bool) throws {
        entries.reserveCapacity(lines.count)
        for line in lines {
            let isWhole = !indented || line.first == UInt8(ascii: " ")
            guard isWhole, let fact = FactLine(indented ? line.dropFirst() : line) else {
                throw Self.broken(directory, (entries.last?.name ?? Data()) + Data("\n".utf8) + line)
            }
            switch fact.role {
            case .entry: entries.append(fact)
            case .itself: itself = fact
            case .parent: break
            }
        }
        guard let count = itself?.count else { return }
        // With itself and its parent.
        unlisted = count - lines.count
        if unlisted < 0 { throw Self.broken(directory, nil) }
    }

    /// - Parameter name: Nil where it looks like entries of its own: there are more lines than the server counts names.
    private static func broken(_ directory: String, _ name: Data?) -> BackendFailure {
        let shown = name.map { "the name \"\(EntryName.escaped($0))\"" } ?? "a name"
        return BackendFailure(
            .invalid,
            "\(EntryName.escaped(directory.utf8)) holds \(shown) with a line break, which a GridFTP listing cannot carry: "
                + "rename it at the site")
    }
}
