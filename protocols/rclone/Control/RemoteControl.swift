import Foundation
import HaulModel
import HaulProtocol

/// rclone's remote control (`rclone rc`): a POST of JSON for each command, over the loopback interface, with a name and
/// password that nobody else knows. HTTP/1.0, so that an answer ends where its connection does.
struct RemoteControl: Sendable {
    /// Bytes of one answer: the largest are listings.
    private static let roof = 512 << 20

    let port: UInt16
    /// `Basic ...`.
    let authorization: String

    /// Runs a command.
    /// - Throws: ``BackendFailure`` with the class that rclone's words mean.
    func call(_ command: String, _ parameters: [String: JSONValue], _ what: String) async throws -> [String: JSONValue]
    {
        let body = try JSONEncoder().encode(JSONValue.object(parameters))
        let answer = try await exchange(
            head("POST", "/\(command)", ["Content-Type: application/json", "Content-Length: \(body.count)"]) + body)
        guard let document = try? JSONDecoder().decode(JSONValue.self, from: answer.body), let object = document.object
        else { throw BackendFailure(.backend, "\(what): rclone's answer is no JSON (HTTP \(answer.status))") }
        if answer.status != 200 {
            throw Complaint.failure(object["error"]?.string ?? "", what, about: parameters.values.compactMap(\.string))
        }
        return object
    }

    /// The first lines of a request.
    func head(_ method: String, _ target: String, _ fields: [String]) -> Data {
        let lines = ["\(method) \(target) HTTP/1.0", "Host: 127.0.0.1", "Authorization: \(authorization)"] + fields
        return Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private func exchange(_ request: Data) async throws -> (status: Int, body: Data) {
        let connection = try await LoopbackConnection.open(port: port)
        return try await withTaskCancellationHandler {
            do {
                try await connection.send(request)
                var answer = Data()
                while let more = try await connection.receive() {
                    guard answer.count < Self.roof else {
                        throw BackendFailure(.invalid, "rclone's answer is larger than this backend reads")
                    }
                    answer += more
                }
                return try Self.parse(answer)
            } catch {
                try Task.checkCancellation()
                throw error
            }
        } onCancel: {
            connection.abandon()
        }
    }

    /// The status of an answer, and what follows its head.
    static func parse(_ answer: Data) throws -> (status: Int, body: Data) {
        guard let end = answer.range(of: Data("\r\n\r\n".utf8)) else {
            throw BackendFailure(.interrupted, "rclone broke off in the middle of an answer")
        }
        let words = String(decoding: answer[..<end.lowerBound].prefix(64), as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw BackendFailure(.backend, "what answers is not rclone")
        }
        return (status, Data(answer[end.upperBound...]))
    }
}
