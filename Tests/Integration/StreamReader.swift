import Foundation
import HaulHTTP
import HaulModel
import HaulWire
import Support
import Synchronization

/// Reads an answer that comes bit by bit, and tells what came so far.
final class StreamReader: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var head: HTTPClientResponse?
        var isOver = false
    }

    private let state = Mutex(State())

    var text: String { String(decoding: state.withLock { $0.bytes }, as: UTF8.self) }
    var head: HTTPClientResponse? { state.withLock { $0.head } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Begins to read; the task ends with the answer.
    func follow(_ path: String, _ caller: Caller, headers: HTTPHeaders = [:]) -> Task<Void, any Error> {
        var fields = headers
        fields.set("Authorization", "Bearer \(caller.token ?? "")")
        let request = HTTPClientRequest(method: "GET", url: caller.server.url + WirePath.root + path, headers: fields)
        return Task {
            let head = try await caller.server.client.stream(
                request, onHead: { head in self.state.withLock { $0.head = head } }
            ) { piece in self.state.withLock { $0.bytes += piece } }
            self.state.withLock { state in
                state.head = head
                state.isOver = true
            }
        }
    }

    /// A server-sent event.
    struct Event: Sendable {
        var id: Int
        var name: String
        var data: JSONValue
    }

    /// The events so far that are whole; comments are passed over.
    var events: [Event] {
        text.components(separatedBy: "\n\n").dropLast().compactMap { block in
            var fields: [String: String] = [:]
            for line in block.split(separator: "\n") where !line.hasPrefix(":") {
                let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
                fields[parts[0]] = String((parts.last ?? "").drop { $0 == " " })
            }
            guard let id = fields["id"].flatMap({ Int($0) }), let name = fields["event"], let data = fields["data"]
            else {
                return nil
            }
            return Event(id: id, name: name, data: (try? JSONReader.value(Array(data.utf8))) ?? .null)
        }
    }
}
