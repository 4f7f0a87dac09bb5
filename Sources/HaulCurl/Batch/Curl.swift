import Foundation
public import HaulProtocol

/// All that a batch has of curl: pools for small answers and for file data, and room for bodies.
public struct Curl: Sendable {
    /// Bytes up to which a file goes through a pool, over connections that others use too; larger ones stream.
    public static let smallFile = 8 << 20
    /// Bytes up to which a body is held in memory between two requests, instead of in a file.
    public static let inMemory = 1 << 20
    /// Bytes of all such bodies together.
    private static let memoryBytes = 64 << 20

    public let metadata: CurlPool
    public let data: CurlPool
    /// Copies within a server take as long as they take: nobody waits behind them.
    public let copies: CurlPool
    /// As many as the elements that are under way have of them: one that waited for another would do so for ever.
    public let streams: CurlPool
    public let spool: Spool
    public let memory = Room(bytes: memoryBytes)
    /// Seconds without a byte after which a request is given up.
    public let stallSeconds: Int
    private let disk: BlockingQueue

    /// - Parameter name: The protocol's, which the files of its spool carry.
    public init(_ batch: BatchSpec, name: String) {
        // A listing of a million entries has about 400 MB.
        metadata = CurlPool(roof: max(1 << 20, min(1 << 30, batch.spoolBytes / 4)), hosts: batch.hosts)
        // One byte more than may come, so that too much is seen as such.
        data = CurlPool(roof: Self.smallFile + 1, hosts: batch.hosts)
        copies = CurlPool(roof: 1 << 20, most: 64, hosts: batch.hosts)
        streams = CurlPool(roof: Self.smallFile, most: .max, hosts: batch.hosts)
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
