import Foundation
import HaulModel
import HaulProtocol
import Synchronization

@testable import haul_ssh

/// A server of the test's own making: what the client writes is kept, what the client reads is what the test gives.
final class ScriptedTransport: SFTPTransport {
    private struct State {
        var incoming: [Data] = []
        var reader: CheckedContinuation<Data?, Never>?
        var isClosed = false
        var sent = Data()
        var requests: [Data] = []
    }

    private let state = Mutex(State())
    /// Called with each whole packet that the client sends (without its length); what it returns is given back.
    private let answer: @Sendable (Data) -> [Data]

    init(_ answer: @escaping @Sendable (Data) -> [Data] = { _ in [] }) { self.answer = answer }

    /// A server that says hello, and then answers as it is told.
    static func greeting(
        extensions: [(String, String)] = [],
        _ answer: @escaping @Sendable (_ type: UInt8, _ id: UInt32) -> [Data] = { _, _ in [] }
    ) -> ScriptedTransport {
        var hello = SFTPFieldWriter()
        hello.add(UInt8(2))
        hello.add(UInt32(3))
        for (name, version) in extensions {
            hello.add(name)
            hello.add(version)
        }
        let packet = framed(hello.bytes)
        return ScriptedTransport { request in
            var reader = SFTPFieldReader(request)
            guard let type = try? reader.byte(), let id = try? reader.uint32() else { return [] }
            return type == 1 ? [packet] : answer(type, id)
        }
    }

    static func framed(_ body: Data) -> Data {
        var writer = SFTPFieldWriter()
        writer.add(UInt32(body.count))
        return writer.bytes + body
    }

    static func status(_ id: UInt32, _ code: UInt32, _ text: String = "") -> Data {
        packet(101, id) {
            $0.add(code)
            $0.add(text)
            $0.add("")
        }
    }

    static func packet(_ type: UInt8, _ id: UInt32, _ fields: (inout SFTPFieldWriter) -> Void = { _ in }) -> Data {
        var writer = SFTPFieldWriter()
        writer.add(type)
        writer.add(id)
        fields(&writer)
        return framed(writer.bytes)
    }

    var requests: [Data] { state.withLock { $0.requests } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func give(_ data: Data) {
        let reader = state.withLock { state in
            guard let reader = state.reader else {
                state.incoming.append(data)
                return nil as CheckedContinuation<Data?, Never>?
            }
            state.reader = nil
            return reader
        }
        reader?.resume(returning: data)
    }

    func read() async -> Data? {
        await withCheckedContinuation { continuation in
            let now: Data?? = state.withLock { state in
                if !state.incoming.isEmpty { return .some(state.incoming.removeFirst()) }
                if state.isClosed { return .some(nil) }
                state.reader = continuation
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    func post(_ head: Data, _ rest: Data) { post(head + rest) }

    func post(_ head: Data, _ count: Int, from pipe: PipeReader) async {
        var packet = head
        while packet.count < head.count + count,
            let data = await pipe.read(upTo: head.count + count - packet.count)
        {
            packet += data
        }
        post(packet)
    }

    func post(_ data: Data) {
        let packets: [Data] = state.withLock { state in
            state.sent.append(data)
            var packets: [Data] = []
            while state.sent.count >= 4 {
                let length = state.sent.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                guard state.sent.count >= 4 + length else { break }
                packets.append(Data(state.sent.dropFirst(4).prefix(length)))
                state.sent = Data(state.sent.dropFirst(4 + length))
            }
            state.requests += packets
            return packets
        }
        for packet in packets { answer(packet).forEach(give) }
    }

    func close() {
        let reader = state.withLock { state in
            state.isClosed = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    func failure(_ reason: String) async -> BackendFailure { BackendFailure(.connect, reason) }
}
