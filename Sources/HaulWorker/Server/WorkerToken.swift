import Foundation
import HaulConfig
import HaulProtocol
import Synchronization

/// The token that a worker shows. An issuer's is over after a while, and somebody else puts the next one into its file: when
/// the server takes it no more, the file is read again.
public final class WorkerToken: Sendable {
    private let path: String?
    private let token: Mutex<String>
    private static let files = BlockingQueue(label: "haul.worker.token")

    /// - Parameter file: where it stands; nil: it stays what it is.
    public init(_ token: String, file: String? = nil) {
        path = file
        self.token = Mutex(token)
    }

    var current: String { token.withLock { $0 } }

    /// What to show instead of a token that was refused; nil where the file has no other.
    func another(than refused: String) async -> String? {
        let held = current
        // Another request may have found it.
        if held != refused { return held }
        guard let path, let read = try? await Self.files.run({ Self.read(path) }), case .success(let fresh) = read,
            fresh != refused
        else { return nil }
        token.withLock { $0 = fresh }
        return fresh
    }

    /// Why a file is of no use, as the end of a sentence.
    public struct Problem: Error, Sendable, Hashable {
        public let text: String
    }

    /// The token in a file. Reads the disk.
    public static func read(_ path: String) -> Result<String, Problem> {
        if let problem = PrivateFile.problem(with: path) { return .failure(Problem(text: problem)) }
        guard let data = FileManager.default.contents(atPath: path) else {
            return .failure(Problem(text: "cannot be read"))
        }
        let token = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return .failure(Problem(text: "holds no token: one line, as hauld token add printed it"))
        }
        return .success(token)
    }
}
