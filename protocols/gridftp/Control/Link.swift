import Foundation
import HaulModel
import HaulProtocol

/// A connection's bytes: a socket of this process, or a `haul-gsi` that authenticates and passes them on.
final class Link: Sendable {
    private enum Way: Sendable {
        case socket(Socket)
        case tool(Child)
    }

    private let way: Way

    private static let connecting = BlockingQueue(label: "haul.gridftp.connect")

    private init(_ way: Way) { self.way = way }

    /// Connects without any security.
    /// - Parameter loop: Reads and writes there.
    static func plain(
        _ address: Address, on loop: EventLoop? = nil, limit: Duration = .seconds(20)
    ) async throws -> Link {
        let socket = try await Abandonable.run {
            try await connecting.run { try Socket(address, on: loop, limit: limit) }
        } late: {
            $0.close()
        }
        return Link(.socket(socket))
    }

    /// Lets `haul-gsi` connect and authenticate.
    static func tool(_ command: Command, on loop: EventLoop? = nil) async throws -> Link {
        do { return Link(.tool(try await Child.start(command, on: loop))) } catch {
            throw BackendFailure(.backend, "\(error)")
        }
    }

    /// The address at the other end, in figures; nil where `haul-gsi` knows it.
    var peer: String? {
        switch way {
        case .socket(let socket): socket.peer
        case .tool: nil
        }
    }

    /// Where the bytes come in that the other side sends.
    var reader: PipeReader? {
        switch way {
        case .socket(let socket): socket.reader
        case .tool(let child): child.output
        }
    }

    /// Where those leave that are for it.
    var writer: PipeWriter? {
        switch way {
        case .socket(let socket): socket.writer
        case .tool(let child): child.input
        }
    }

    /// The next bytes; nil at the end.
    func read() async -> Data? { await reader?.read(upTo: 1 << 18) }

    /// Writes all of it; false once the other side takes no more.
    func write(_ data: Data) async -> Bool { await writer?.write(data) ?? false }

    /// Writes it later, in order.
    func post(_ data: Data) { writer?.post(data) }

    /// No more is written; what was written arrives. Only after the last ``write(_:)`` returned.
    func endWriting() {
        switch way {
        case .socket(let socket): socket.endWriting()
        case .tool(let child): child.input?.finish()
        }
    }

    /// Ends it at once, from any thread, any number of times.
    func close() {
        switch way {
        case .socket(let socket): socket.close()
        case .tool(let child):
            child.signal(SIGKILL)
            child.input?.close()
            child.output?.close()
        }
    }

    /// Why it ended, once ``read()`` has said that it has; nil where nothing is known.
    func complaint() async -> BackendFailure? {
        guard case .tool(let child) = way else { return nil }
        child.input?.close()
        var said = Data()
        while said.count < 1 << 16, let data = await child.errors?.read() { said.append(data) }
        guard let status = await child.wait(atMost: .seconds(2)) else { return nil }
        return status.isSuccess ? nil : GSIComplaint.failure(status, String(decoding: said, as: UTF8.self))
    }
}
