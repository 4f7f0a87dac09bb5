import Foundation
import HaulHTTP
import HaulModel
import HaulWire

/// The server that is measured, and how to ask it.
struct Target: Sendable {
    let client: HTTPClient
    private let root: String
    private let userToken: String
    private let workerToken: String

    /// Who asks.
    enum Role { case user, worker, element(String) }

    init(_ options: BenchOptions) throws {
        var configuration = HTTPClientConfiguration()
        configuration.idleConnections = max(64, options.connections)
        client = HTTPClient(configuration: configuration)
        root = options.url + WirePath.root
        userToken = try Self.token(options.tokenFile)
        workerToken = try options.workerTokenFile.map(Self.token) ?? ""
    }

    private static func token(_ file: String) throws -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw BenchError(message: "\(file): there is no token to be read")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Sends a request and answers what came back with one of `statuses`.
    func send(
        _ method: String, _ path: String, _ body: [UInt8] = [], as role: Role = .user, statuses: Set<Int> = [200]
    ) async throws -> HTTPClientResponse {
        let token =
            switch role {
            case .user: userToken
            case .worker: workerToken
            case .element(let token): token
            }
        let request = HTTPClientRequest(
            method: method, url: root + path, headers: [WirePath.tokenHeader: token], body: body, timeout: 120)
        let response = try await client.send(request)
        guard statuses.contains(response.status) else {
            throw BenchError(
                message:
                    "\(method) \(path): \(response.status) \(String(decoding: response.body.prefix(300), as: UTF8.self))"
            )
        }
        return response
    }

    /// Requests/s that the server answers when it has nothing to do, over so many connections.
    func rawLimit(connections: Int) async throws -> Double {
        let count = 10_000
        let meter = try await Meter.run(count: count, workers: connections) { _ in
            _ = try await send("GET", "/nothing", statuses: [404])
        }
        return meter.rate
    }
}

/// The server did not answer as it should.
struct BenchError: Error, CustomStringConvertible {
    var message: String
    var description: String { message }
}
