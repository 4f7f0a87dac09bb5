import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves the bytes of one file, the way that suits its size and ends.
struct Mover: Sendable {
    let curl: Curl
    /// When the source was changed last, in seconds since 1970; nil where it does not say.
    var modified: Int?
    let report: ElementReport

    /// Writes `source` to `target`.
    /// - Parameters:
    ///   - hashed: Whether the checksum of what was read is wanted.
    ///   - onlyIfMissing: The server is to refuse where something is at `target`.
    /// - Returns: That checksum.
    func move(
        _ source: Place, to target: Place, size: Int, hashed: Bool, onlyIfMissing: Bool = false
    ) async throws -> String? {
        let small = SmallFile(size: size, report: report)
        guard size <= Curl.smallFile else { return try await stream(source, target, size, hashed, onlyIfMissing) }
        switch (source, target) {
        case (.remote(let server, let from), .remote(let other, let to)) where curl.spool.takes(size):
            return try await curl.spool.withRoom(size) {
                let file = curl.spool.file("data")
                defer { unlink(file) }
                try await small.download(server, from, into: file)
                let checksum = hashed ? try await SmallFile.checksum(file, curl) : nil
                try await small.upload(file, to: other, to, onlyIfMissing: onlyIfMissing)
                return checksum
            }
        case (.remote(let server, let from), .local(let to)):
            try await small.download(server, from, into: to.path)
            return hashed ? try await SmallFile.checksum(to.path, curl) : nil
        case (.local(let from), .remote(let server, let to)):
            let checksum = hashed ? try await SmallFile.checksum(from.path, curl) : nil
            try await small.upload(from.path, to: server, to, onlyIfMissing: onlyIfMissing)
            return checksum
        default: return try await stream(source, target, size, hashed, onlyIfMissing)
        }
    }

    private func stream(
        _ source: Place, _ target: Place, _ size: Int, _ hashed: Bool, _ onlyIfMissing: Bool
    ) async throws -> String? {
        let hash = hashed ? try StreamHash(.md5) : nil
        try await Stream(size: size, modified: modified, report: report)
            .run(from: source, to: target, onlyIfMissing: onlyIfMissing, hash: hash)
        return hash?.finish()
    }

    /// The md5 of what is at a place, read again.
    func checksum(_ place: Place, size: Int) async throws -> String {
        switch place {
        case .local(let file): return try await SmallFile.checksum(file.path, curl)
        case .remote(let server, let location):
            if size <= Curl.smallFile, curl.spool.takes(size) {
                return try await curl.spool.withRoom(size) {
                    let file = curl.spool.file("sum")
                    defer { unlink(file) }
                    try await SmallFile(size: size, report: report).download(server, location, into: file)
                    return try await SmallFile.checksum(file, curl)
                }
            }
            let hash = try StreamHash(.md5)
            try await Stream(size: size, report: report).run(from: place, to: nil, hash: hash)
            return hash.finish()
        }
    }

    /// Lets a server copy from one of its places to another.
    /// - Returns: False where it does not do that.
    func copyWithin(_ server: Server, _ source: Location, to target: Location, size: Int) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask { try await server.copy(source, to: target) }
            // The server says nothing before it is done: what has arrived is the only progress to tell.
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    if let part = try? await server.facts(target) {
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
