import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// The batch's one `rclone rcd`: its backends keep their connections, logins and caches over all elements.
final class RcloneDaemon: Sendable {
    private static let patience = Duration.seconds(20)
    private static let mostKept = 16 << 10

    let control: RemoteControl
    private let child: Child

    /// Starts it, and returns once it listens.
    /// - Parameter timeout: Seconds after which haul itself gives up what stands still: rclone waits longer.
    static func start(
        _ executable: String, config: RcloneConfig, scratch: String, timeout: Int
    ) async throws -> RcloneDaemon {
        let file = scratch + "/rclone.conf"
        let made = try await BlockingQueue(label: "haul.rclone.open").run {
            FileManager.default.createFile(
                atPath: file, contents: Data(config.text.utf8), attributes: [.posixPermissions: 0o600])
        }
        guard made else { throw BackendFailure(.backend, "cannot write in the batch's scratch folder") }
        let password = (0..<4).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
        let child: Child
        do {
            child = try await Child.start(
                Command(
                    executable: executable, arguments: ["rcd"],
                    environment: Environment.allowed.merging(environment(file, scratch, password, timeout)) { $1 },
                    output: .null))
        } catch {
            throw BackendFailure(.busy, "\(error)")
        }
        do {
            let port = try await Abandonable.run(limit: patience) { try await listening(child) }
            let login = Data("haul:\(password)".utf8).base64EncodedString()
            return RcloneDaemon(child, RemoteControl(port: port, authorization: "Basic \(login)"))
        } catch {
            await child.stop(grace: .seconds(1))
            if error is Abandonable.Late { throw BackendFailure(.timeout, "rclone did not start within \(patience)") }
            throw error
        }
    }

    private init(_ child: Child, _ control: RemoteControl) {
        self.child = child
        self.control = control
        // What it goes on to say is told by its answers, too; unread it would stand still.
        Task { while await child.errors?.read() != nil {} }
    }

    func stop() async {
        child.errors?.close()
        await child.stop(grace: .seconds(2))
    }

    /// Never in arguments: the password, and what the configuration says.
    private static func environment(
        _ config: String, _ scratch: String, _ password: String, _ timeout: Int
    ) -> [String: String] {
        [
            "HOME": scratch, "RCLONE_CONFIG": config, "RCLONE_CACHE_DIR": scratch + "/cache",
            "RCLONE_RC_ADDR": "127.0.0.1:0", "RCLONE_RC_USER": "haul", "RCLONE_RC_PASS": password,
            "RCLONE_RC_SERVE": "true",
            // A part that an earlier attempt left is written anew, whatever its size and time.
            "RCLONE_IGNORE_TIMES": "true",
            // The job is tried again; who is away is told so soon.
            "RCLONE_LOW_LEVEL_RETRIES": "3", "RCLONE_RETRIES": "1", "RCLONE_CONTIMEOUT": "15s",
            "RCLONE_TIMEOUT": "\(max(60, 2 * timeout))s", "RCLONE_RC_JOB_EXPIRE_DURATION": "1h",
            // Else whatever it serves is cut off after an hour, however fast it goes.
            "RCLONE_RC_SERVER_WRITE_TIMEOUT": "0",
        ]
    }

    /// Reads what it says until it tells its port: `Serving remote control on http://127.0.0.1:45689/`.
    private static func listening(_ child: Child) async throws -> UInt16 {
        var said = Data()
        while let more = await child.errors?.read() {
            said = Data((said + more).suffix(mostKept))
            let text = String(decoding: said, as: UTF8.self)
            if let match = text.firstMatch(of: /Serving remote control on http:\/\/127\.0\.0\.1:([0-9]+)\//),
                let port = UInt16(match.1)
            {
                return port
            }
        }
        let words = String(decoding: said.suffix(600), as: UTF8.self)
        throw Complaint.failure(words, "rclone does not start", about: [])
    }
}
