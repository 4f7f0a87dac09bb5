import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

// Ways of moving a file that cost less than a stream of their own.

extension CopyMover where Source == HTTPEnd, Target == LocalEnd {
    /// A GET into the file.
    static var smallDownload: Self {
        .whole("", paces: true) { move in
            guard SmallFile.takes(move.facts.size, at: move.bandwidth), let path = move.target.path else { return nil }
            let (server, location) = (move.source.server, move.source.location)
            let small = SmallFile(size: move.facts.size, bandwidth: move.bandwidth, report: move.report)
            guard move.facts.size <= Curl.inMemory else {
                let found = try await small.download(server, location, into: path)
                return CopyMoved(
                    checksum: try await SmallFile.checksum(path, move.algorithm, server.curl), source: found)
            }
            // Its file is written where that may take its time: other elements' requests do not wait for it.
            return try await server.curl.memory.withRoom(move.facts.size) {
                let (found, body) = try await move.source.bytes(small)
                let algorithm = move.algorithm
                let sum = try await server.curl.run {
                    try SmallFile.write(body, to: path)
                    return try SmallFile.checksum(body, algorithm)
                }
                return CopyMoved(checksum: sum, source: found)
            }
        }
    }
}

extension CopyMover where Source == LocalEnd, Target == HTTPEnd {
    /// A PUT of the file.
    static var smallUpload: Self {
        .whole("", paces: true) { move in
            let (size, algorithm) = (move.facts.size, move.algorithm)
            guard SmallFile.takes(size, at: move.bandwidth), let path = move.source.path else { return nil }
            let (server, location) = (move.target.server, move.target.location)
            let small = SmallFile(size: size, bandwidth: move.bandwidth, report: move.report)
            guard size <= Curl.inMemory else {
                let sum = try await SmallFile.checksum(path, algorithm, server.curl)
                try await small.upload(.file(path), to: server, location, onlyIfMissing: !move.replace)
                return CopyMoved(checksum: sum)
            }
            return try await server.curl.memory.withRoom(size) {
                let (body, sum) = try await server.curl.run {
                    let body = try SmallFile.read(path, size: size)
                    return (body, try SmallFile.checksum(body, algorithm))
                }
                // What was written to meanwhile must not appear under the final name.
                if move.publication == .whole, try await move.source.facts(follow: move.follow) != move.facts {
                    throw CopyWriteFailure(
                        BackendFailure(.busy, "\(move.source.shown) was changed while it was copied"),
                        wroteNothing: true)
                }
                try await small.upload(.bytes(body), to: server, location, onlyIfMissing: !move.replace)
                if move.publication == .whole { move.target.wrote(size) }
                return CopyMoved(checksum: sum)
            }
        }
    }
}

extension CopyMover where Source == HTTPEnd, Target == HTTPEnd {
    /// A GET and a PUT of what it brought: held in memory where it is small enough, else in the spool.
    static var throughWorker: Self {
        .whole("", paces: true) { move in
            let (from, to, size) = (move.source, move.target, move.facts.size)
            let curl = from.server.curl
            guard SmallFile.takes(size, at: move.bandwidth) else { return nil }
            let small = SmallFile(size: size, bandwidth: move.bandwidth, report: move.report)
            if size <= Curl.inMemory {
                return try await curl.memory.withRoom(size) {
                    let (found, body) = try await reading { try await from.bytes(small) }
                    let sum = try await SmallFile.checksum(body, move.algorithm, curl)
                    try await small.upload(.bytes(body), to: to.server, to.location, onlyIfMissing: !move.replace)
                    if move.publication == .whole { to.wrote(size) }
                    return CopyMoved(checksum: sum, source: found)
                }
            }
            guard curl.spool.takes(size) else { return nil }
            return try await curl.spool.withRoom(size) {
                let file = curl.spool.file("data")
                defer { unlink(file) }
                let found = try await reading { try await small.download(from.server, from.location, into: file) }
                let sum = try await SmallFile.checksum(file, move.algorithm, curl)
                try await small.upload(.file(file), to: to.server, to.location, onlyIfMissing: !move.replace)
                return CopyMoved(checksum: sum, source: found)
            }
        }
    }

    private static func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let failure as BackendFailure {
            throw CopyWriteFailure(failure, wroteNothing: true)
        }
    }

    /// COPY: the server moves the data itself, where both ends are its own.
    static var withinServer: Self {
        .whole("copied within the server (COPY)", paces: false) { move in
            let other = move.target.server
            guard move.source.server.copies(to: other), other.canCopy, move.publication == .rename else {
                return nil
            }
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
        let (from, to, size, report) = (move.source.location, move.target.location, move.facts.size, move.report)
        // Done before there is any progress to tell.
        if size <= Curl.inMemory { return try await server.copy(from, to: to) }
        return try await withThrowingTaskGroup(of: Bool?.self) { group in
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
