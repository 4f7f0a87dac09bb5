import Foundation
public import HaulProtocol

/// All that a batch has of curl: pools for small answers and for file data, and files for bodies.
public struct Curl: Sendable {
    /// Bytes up to which a file goes through the spool, together with others in one curl process; larger ones stream.
    public static let smallFile = 8 << 20

    public let tool: CurlTool
    public let metadata: CurlPool
    public let data: CurlPool
    /// Copies within a server take as long as they take: nobody waits behind them.
    public let copies: CurlPool
    public let scratch: String
    public let spool: Spool
    /// Seconds without a byte after which a request is given up.
    public let stallSeconds: Int
    private let disk: BlockingQueue

    /// - Parameter name: The protocol's, which the files of its spool carry.
    /// - Throws: ``BackendFailure`` where a tool is missing.
    public init(_ batch: BatchSpec, name: String) throws {
        tool = try CurlTool()
        // A listing of a million entries has about 400 MB.
        metadata = CurlPool(tool: tool, roof: max(1 << 20, min(1 << 30, batch.spoolBytes / 4)))
        // One byte more than may come, so that too much is seen as such.
        data = CurlPool(tool: tool, roof: Self.smallFile + 1)
        copies = CurlPool(tool: tool, roof: 1 << 20)
        scratch = batch.scratch
        spool = Spool(directory: batch.spool, bytes: batch.spoolBytes, name: name)
        stallSeconds = max(1, batch.timeout)
        disk = BlockingQueue(label: "haul.\(name).disk")
    }

    /// A new name for the body of an answer.
    public func bodyFile() -> String { spool.file("xml") }

    /// Runs what may block (files of the spool) on threads of its own.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await disk.run(work)
    }
}
