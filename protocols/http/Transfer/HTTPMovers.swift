import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

// Ways of moving a file that cost less than a curl process each.

extension CopyMover where Source == HTTPEnd, Target == LocalEnd {
    /// A GET into the file, in a curl process with those of other elements.
    static var smallDownload: Self {
        .whole("", paces: true) { move in
            guard SmallFile.takes(move.facts.size, at: move.bandwidth), let path = move.target.path else { return nil }
            let (server, location) = (move.source.server, move.source.location)
            let small = SmallFile(size: move.facts.size, bandwidth: move.bandwidth, report: move.report)
            let found = try await small.download(server, location, into: path)
            return CopyMoved(checksum: try await SmallFile.checksum(path, move.algorithm, server.curl), source: found)
        }
    }
}

extension CopyMover where Source == LocalEnd, Target == HTTPEnd {
    /// A PUT of the file, in a curl process with those of other elements.
    static var smallUpload: Self {
        .whole("", paces: true) { move in
            guard SmallFile.takes(move.facts.size, at: move.bandwidth), let path = move.source.path else { return nil }
            let server = move.target.server
            let sum = try await SmallFile.checksum(path, move.algorithm, server.curl)
            let small = SmallFile(size: move.facts.size, bandwidth: move.bandwidth, report: move.report)
            try await small.upload(path, to: server, move.target.location, onlyIfMissing: !move.replace)
            return CopyMoved(checksum: sum)
        }
    }
}

extension CopyMover where Source == HTTPEnd, Target == HTTPEnd {
    /// A GET into the spool and a PUT from there, each in a curl process with those of other elements.
    static var throughSpool: Self {
        .whole("", paces: true) { move in
            let (from, to, size) = (move.source, move.target, move.facts.size)
            let curl = from.server.curl
            guard SmallFile.takes(size, at: move.bandwidth), curl.spool.takes(size) else { return nil }
            return try await curl.spool.withRoom(size) {
                let file = curl.spool.file("data")
                defer { unlink(file) }
                let small = SmallFile(size: size, bandwidth: move.bandwidth, report: move.report)
                let found: FileFacts
                do {
                    found = try await small.download(from.server, from.location, into: file)
                } catch let failure as BackendFailure {
                    throw CopyWriteFailure(failure, wroteNothing: true)
                }
                let sum = try await SmallFile.checksum(file, move.algorithm, curl)
                try await small.upload(file, to: to.server, to.location, onlyIfMissing: !move.replace)
                return CopyMoved(checksum: sum, source: found)
            }
        }
    }

    /// COPY: the server moves the data itself, where both ends are its own.
    static var withinServer: Self {
        .whole("copied within the server (COPY)", paces: false) { move in
            let (server, other) = (move.source.server, move.target.server)
            // Through one site: the location of the source below the other's prefix need not exist.
            guard server.site.isSameServer(as: other.site), other.canCopy, server.site.prefix == other.site.prefix,
                move.target.traits.publication == .rename
            else { return nil }
            do {
                if try await copy(move, other) { return CopyMoved() }
            } catch let failure as BackendFailure where failure.errorClass == .notFound {
                throw CopyWriteFailure(failure, parentIsMissing: true)
            }
            other.rememberNoCopy()
            return nil
        }
    }

    /// - Returns: False where the server does not do that.
    private static func copy(_ move: CopyMove<HTTPEnd, HTTPEnd>, _ server: Server) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool?.self) { group in
            let (from, to, size, report) = (move.source.location, move.target.location, move.facts.size, move.report)
            group.addTask { try await server.copy(from, to: to) }
            // The server says nothing before it is done: what has arrived is the only progress to tell.
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    if let part = try? await server.facts(to) {
                        report.progress(transferred: min(part.size, size), total: size)
                    }
                }
            }
            defer { group.cancelAll() }
            while let answer = try await group.next() {
                if let answer { return answer }
            }
            return false
        }
    }
}
