import HaulHTTP
import HaulModel
import Support
import Synchronization

/// Reads what `/generate` streams, and tells what came so far.
final class OverviewReader: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private let status = Mutex(0)

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
    var head: Int { status.withLock { $0 } }

    /// What was told so far; the whole answer is an array only at its end.
    var events: [JSONValue] {
        let text = text
        return (try? JSONReader.value(Array((text.hasSuffix("]") ? text : text + "]").utf8)))?.array ?? []
    }

    /// Begins to read; the task ends with the answer.
    func follow(_ client: FaceClient, _ form: KeyValuePairs<String, String>) -> Task<Void, any Error> {
        let request = client.request(
            "POST", "/generate", FaceClient.form(form), type: "application/x-www-form-urlencoded")
        return Task {
            _ = try await client.server.client.stream(
                request, onHead: { head in self.status.withLock { $0 = head.status } }
            ) { piece in self.bytes.withLock { $0 += piece } }
        }
    }
}
