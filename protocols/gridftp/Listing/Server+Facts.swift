import Foundation
import HaulModel
import HaulProtocol
import Synchronization

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
        if features.listsInReplies, features.echoes, let facts = try await listInReply(path) { return facts }
        let lines = try await DataTransfer.lines(
            of: "MLSD \(path.absolute)", what: "cannot list \(path.shown)", at: self)
        return try DirectoryFacts(lines[...], of: path.shown, indented: false)
    }

    /// In a reply (MLSC): a data connection for each directory of a tree is slow, with GSI a handshake each.
    /// A name with line breaks can end such a reply, and answer what is asked next in the server's place. So a connection
    /// lists and does nothing else, and a listing counts where the reply after it is the one that it must be.
    /// A server tells a long listing in pieces, each a reply of its own (150) but for the last: where they end could be faked.
    /// - Returns: Nil where there is any doubt: what comes over a data connection has an end that no name can fake.
    private nonisolated func listInReply(_ path: RemotePath) async throws -> DirectoryFacts? {
        for isLast in [false, true] {
            let connection = try await lister()
            let echo = Echo()
            let pieces = Mutex(0)
            do {
                let replies = try await connection.perform(
                    ["MLSC \(path.absolute)", echo.command], endsInOneLine: true,
                    onMark: { _ in pieces.withLock { $0 += 1 } })
                guard echo.isAnswered(by: replies[1]) else {
                    connection.close()
                    return nil
                }
                await keep(lister: connection)
                let listing = replies[0]
                guard listing.isSuccess else { throw ReplyTable.failure(listing, "cannot list \(path.shown)") }
                if pieces.withLock({ $0 > 0 }) { return nil }
                return try? DirectoryFacts(listing.lines.dropFirst().dropLast(), of: path.shown, indented: true)
            } catch let lost as ControlConnection.Lost {
                if connection.spokeNonsense || lost.failure.errorClass == .timeout { return nil }
                // One that had been idle may have been closed.
                guard !isLast, lost.hadAnswered, lost.failure.errorClass == .connect else { throw lost.failure }
            } catch let failure as BackendFailure {
                throw failure
            } catch {
                connection.close()
                throw error
            }
        }
        return nil
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
        // Of bytes: Data hashes the first 80 of them alone.
        var names: Set<[UInt8]> = []
        names.reserveCapacity(lines.count)
        for line in lines {
            let isWhole = !indented || line.first == UInt8(ascii: " ")
            guard isWhole, let fact = FactLine(indented ? line.dropFirst() : line) else {
                throw Self.broken(directory, (entries.last?.name ?? Data()) + Data("\n".utf8) + line)
            }
            switch fact.role {
            case .entry:
                guard names.insert(Array(fact.name)).inserted else { throw Self.twice(directory, fact.name) }
                entries.append(fact)
            case .itself: itself = fact
            case .parent: break
            }
        }
        guard let count = itself?.count else { return }
        // With itself and its parent.
        unlisted = count - lines.count
        if unlisted < 0 { throw Self.broken(directory, nil) }
    }

    /// No directory holds a name twice: it changed meanwhile, or a name with a line break looks like another's entry.
    private static func twice(_ directory: String, _ name: Data) -> BackendFailure {
        BackendFailure(
            .busy,
            "\(EntryName.escaped(directory.utf8)) is listed with the name \"\(EntryName.escaped(name))\" twice: it changed "
                + "meanwhile, or a name in it has a line break")
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
