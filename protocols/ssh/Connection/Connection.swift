import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// An ssh child that carries SFTP on its stdin and stdout.
final class Connection: SFTPTransport {
    let endpoint: Endpoint
    private let child: Child
    /// The start and the end of what ssh said; in between is what nobody needs.
    private let said: Said
    private let listening: Task<Void, Never>

    /// Starts ssh; ``client(_:endpoint:knownHosts:executable:)`` says hello too.
    private init(_ site: SSHSite, endpoint: Endpoint, knownHosts: String, executable: String) async throws {
        self.endpoint = endpoint
        let child = try await Child.start(
            Command(
                executable: executable, arguments: SSHCommand.arguments(site, endpoint, knownHosts: knownHosts),
                input: .pipe), on: EventLoop.shared)
        let said = Said()
        (self.child, self.said) = (child, said)
        listening = Task { await said.listen(to: child.errors) }
    }

    /// A connection over which the server has answered.
    /// - Throws: ``BackendFailure``, `CancellationError`.
    static func client(
        _ site: SSHSite, endpoint: Endpoint, knownHosts: String, executable: String
    ) async throws -> SFTPClient {
        let connection: Connection
        do {
            connection = try await Connection(
                site, endpoint: endpoint, knownHosts: knownHosts, executable: executable)
        } catch let error as SpawnError {
            throw BackendFailure(.backend, error.description)
        }
        let client = SFTPClient(connection)
        do {
            try await Abandonable.run(limit: .seconds(SSHCommand.connectTimeout + 15)) { try await client.start() }
        } catch let loss as SFTPLoss {
            throw await loss.failure()
        } catch is Abandonable.Late {
            client.close()
            throw BackendFailure(.connect, "\(endpoint): no SFTP server answered in time")
        } catch {
            client.close()
            throw error
        }
        return client
    }

    func read() async -> Data? { await child.output?.read(upTo: 1 << 18) }

    func post(_ data: Data) { child.input?.post(data) }

    func post(_ head: Data, _ rest: Data) { child.input?.post(head, rest) }

    func post(_ head: Data, _ count: Int, from pipe: PipeReader) async {
        let move = await child.input?.move(count, from: pipe, after: head)
        // They were promised: the server takes whatever comes next for them.
        if case .stopped = move { close() }
    }

    func close() {
        child.input?.close()
        child.output?.close()
        // ssh ends with its stdin; what it says last is worth a moment.
        Task {
            if await child.wait(atMost: .seconds(1)) == nil { await child.stop(grace: .seconds(2)) }
        }
    }

    func failure(_ reason: String) async -> BackendFailure {
        // What ssh says last, it says just before it ends.
        let status = await child.wait(atMost: .seconds(3))
        // It may have ended before its words were read.
        try? await Abandonable.run(limit: .seconds(1)) { [listening] in await listening.value }
        return SSHComplaint.failure(said.text, endpoint, returncode: status?.code ?? 1, otherwise: reason)
    }
}

/// The standard error of an ssh, as it comes.
private final class Said: Sendable {
    private let kept = Mutex("")

    var text: String { kept.withLock { $0 } }

    func listen(to errors: PipeReader?) async {
        while let data = await errors?.read(upTo: 4096) {
            let text = String(decoding: data, as: UTF8.self)
            kept.withLock { said in
                said += text
                if said.utf8.count > 16 << 10 { said = String(said.prefix(2048)) + "\n" + String(said.suffix(6144)) }
            }
        }
        errors?.close()
    }
}
