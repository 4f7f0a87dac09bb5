import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Goes on with a download that an earlier attempt left unfinished. The part's name says that the source had this size
/// and time; here the server is asked for the rest only while that still holds (`If-Unmodified-Since`), and the end of
/// the part must be what the source has there.
struct Resumption: Sendable {
    /// Bytes at the end of a part that are compared.
    private static let tail = 256 << 10
    private static let piece = 1 << 20

    let server: Server
    let location: Location
    let size: Int
    let modified: Int?
    let report: ElementReport

    /// - Returns: The download, and the bytes of the part that it goes on from; `hash` has seen those.
    func begin(_ part: OpenFile, hash: StreamHash?) async throws -> (Download, Int) {
        let offset = PartFile.resumeOffset(part: try await part.size(), source: size)
        if offset > 0, modified != nil, let rest = try await rest(of: part, from: offset) {
            report.log("going on from byte \(offset) of an earlier attempt")
            try await part.cut(at: offset)
            try await show(part, upTo: offset, to: hash)
            return (rest, offset)
        }
        try await part.cut(at: 0)
        return (Download(server, location, size: size) { [report] in report.log($0) }, 0)
    }

    /// A download that has given the part's last bytes already; nil where they are others, or the server gives no rest.
    private func rest(of part: OpenFile, from offset: Int) async throws -> Download? {
        let start = max(0, offset - Self.tail)
        // From the first byte it would be a whole download.
        guard start > 0 else { return nil }
        let download = Download(server, location, size: size, from: start, modified: modified) { [report] in
            report.log($0)
        }
        do {
            let old = try await part.bytes(from: start, to: offset)
            if try await download.take(offset - start) == old { return download }
            report.log("the part of an earlier attempt is no beginning of \(location.given): starting over")
        } catch is Download.CannotGoOn {
            report.log("the server gives no rest of \(location.given), or it changed: starting over")
        } catch {
            await download.abort()
            throw error
        }
        await download.abort()
        return nil
    }

    private func show(_ part: OpenFile, upTo end: Int, to hash: StreamHash?) async throws {
        guard let hash else { return }
        var seen = 0
        while seen < end {
            try Task.checkCancellation()
            let data = try await part.bytes(from: seen, to: min(end, seen + Self.piece))
            guard !data.isEmpty else { throw BackendFailure(.interrupted, "the part file became shorter") }
            data.withUnsafeBytes { hash.update($0) }
            seen += data.count
            // Long for a large part, and no standstill.
            report.progress(transferred: seen, total: size)
        }
    }
}
