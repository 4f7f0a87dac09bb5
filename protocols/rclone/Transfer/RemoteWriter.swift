import Foundation
import HaulModel
import HaulProtocol

/// A file that rclone takes in one request (`operations/uploadfile`): a form of one part, whose length is known.
final class RemoteWriter: CopyWriter {
    private let connection: LoopbackConnection
    private let end: RcloneEnd
    private let tail: Data

    init(_ end: RcloneEnd, _ order: WriteOrder) async throws {
        self.end = end
        let control = end.files.control
        connection = try await LoopbackConnection.open(port: control.port)
        let boundary = "haul-\(UInt64.random(in: 0 ... .max))-\(UInt64.random(in: 0 ... .max))"
        tail = Data("\r\n--\(boundary)--\r\n".utf8)
        let name = end.path.name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let part = Data(
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n").utf8)
        let length = part.count + order.source.size + tail.count
        let query = "fs=\(Self.escaped(end.files.remote))&remote=\(Self.escaped(end.path.parent.text))"
        let head = control.head(
            "POST", "/operations/uploadfile?\(query)",
            ["Content-Type: multipart/form-data; boundary=\(boundary)", "Content-Length: \(length)"])
        try await connection.send(head + part)
    }

    var existing: Int { 0 }

    func cut(to size: Int) async throws {}

    func write(_ data: Data, at offset: Int) async throws { try await connection.send(data) }

    func finish(_ source: FileFacts) async throws -> Int? {
        try await connection.send(tail)
        var answer = Data()
        while let more = try await connection.receive() { answer = Data((answer + more).prefix(64 << 10)) }
        let (status, body) = try RemoteControl.parse(answer)
        guard status == 200 else {
            let said = (try? JSONDecoder().decode(JSONValue.self, from: body))?.object?["error"]?.string
            throw Complaint.failure(said ?? "", "cannot write \(end.shown)")
        }
        return nil
    }

    func abandon() { connection.abandon() }

    deinit { connection.abandon() }

    private static func escaped(_ text: String) -> String {
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return text.utf8.map { byte in
            unreserved.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
