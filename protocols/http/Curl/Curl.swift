import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// All that a batch has of curl: pools for small answers and for file data, and files for bodies.
struct Curl: Sendable {
    /// Bytes up to which a file goes through the spool, together with others in one curl process; larger ones stream.
    static let smallFile = 8 << 20

    let tool: CurlTool
    let metadata: CurlPool
    let data: CurlPool
    /// Copies within a server take as long as they take: nobody waits behind them.
    let copies: CurlPool
    let scratch: String
    let spool: Spool
    /// Seconds without a byte after which a request is given up.
    let stallSeconds: Int
    private let disk = BlockingQueue(label: "haul.http.disk")

    init(_ batch: BatchSpec) throws {
        tool = try CurlTool()
        // A listing of a million entries has about 400 MB.
        metadata = CurlPool(tool: tool, roof: max(1 << 20, min(1 << 30, batch.spoolBytes / 4)))
        // One byte more than may come, so that too much is seen as such.
        data = CurlPool(tool: tool, roof: Self.smallFile + 1)
        copies = CurlPool(tool: tool, roof: 1 << 20)
        scratch = batch.scratch
        spool = Spool(directory: batch.spool, bytes: batch.spoolBytes)
        stallSeconds = max(1, batch.timeout)
    }

    /// A new name for the body of an answer.
    func bodyFile() -> String { spool.file("xml") }

    /// The resources of a multistatus document on disk.
    /// - Parameter most: So many are wanted; a document that describes more is not read into memory.
    func parse(_ file: String, what: String, most: Int) async throws -> [Resource] {
        try await disk.run {
            var resources: [Resource] = []
            try Self.read(file, what: what) { if resources.count < most { resources.append($0) } }
            return resources
        }
    }

    /// Reads a multistatus document on disk, waiting on its own thread while `found` takes its time.
    func parse(_ file: String, what: String, found: @escaping @Sendable (Resource) throws -> Void) async throws {
        try await disk.run {
            var stopped: (any Error)?
            try Self.read(file, what: what) { resource in
                guard stopped == nil else { return }
                do { try found(resource) } catch { stopped = error }
            }
            if let stopped { throw stopped }
        }
    }

    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await disk.run(work)
    }

    private static func read(_ file: String, what: String, found: @escaping (Resource) -> Void) throws {
        guard let stream = InputStream(fileAtPath: file) else {
            throw BackendFailure(.backend, "\(what): the answer cannot be read")
        }
        do {
            try Multistatus.parse(stream, found: found)
        } catch {
            throw BackendFailure(.unknown, "\(what): the answer is no WebDAV listing: \(error.reason)")
        }
    }
}
