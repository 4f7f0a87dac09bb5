import Foundation
import HaulCurl
import HaulProtocol
import Synchronization

/// A download, or a range of it, as the algorithm of a copy reads it.
final class HTTPReader: CopyReader {
    private let server: Server
    private let location: Location
    private let download: Download
    private let isToEnd: Bool
    /// Bytes that are still wanted.
    private let wanted: Mutex<Int>

    init(_ server: Server, _ location: Location, _ order: ReadOrder) {
        self.server = server
        self.location = location
        isToEnd = order.isToEnd
        wanted = Mutex(order.to - order.from)
        download = Download(server, location, order) { [report = order.report] in report?.log($0) }
    }

    func next() async throws -> Data? {
        let left = wanted.withLock { $0 }
        // To the end it is read past its last byte: the answer must end there.
        guard left > 0 || isToEnd else { return nil }
        guard let data = try await download.next() else { return nil }
        let piece = isToEnd ? data : data.prefix(left)
        wanted.withLock { $0 -= piece.count }
        return piece
    }

    func finish() async throws -> FileFacts? { try await server.facts(location) }

    func abandon() { Task { [download] in await download.abort() } }
}

/// A PUT whose body passes through this process.
final class HTTPWriter: CopyWriter {
    let existing = 0
    private let stream: CurlStream
    private let what: String

    init(_ stream: CurlStream, _ what: String) {
        self.stream = stream
        self.what = what
    }

    func cut(to size: Int) async throws {}

    func write(_ data: Data, at offset: Int) async throws {
        guard await stream.write(data) else {
            try Task.checkCancellation()
            throw CopyWriteFailure(upload: await stream.finish(), what)
        }
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        let response = await stream.finish()
        try Task.checkCancellation()
        guard response.isSuccess else { throw CopyWriteFailure(upload: response, what) }
        return nil
    }

    func abandon() { stream.abort() }

    func ended() async { _ = await stream.finish() }
}

extension CopyWriteFailure {
    /// A PUT that failed. Where the server refused it, it has not touched what is there.
    init(upload response: HTTPResponse, _ what: String) {
        let status = response.status
        self.init(
            response.failure(what),
            // apache answers 409, nginx 500.
            parentIsMissing: [409, 500].contains(status),
            wroteNothing: (400..<500).contains(status) || status == 501)
    }
}
