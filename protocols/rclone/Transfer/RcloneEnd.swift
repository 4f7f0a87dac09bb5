import Foundation
import HaulModel
import HaulProtocol

/// A file of a remote as one end of a copy.
struct RcloneEnd: CopyEnd {
    let shown: String
    let path: RemotePath
    let files: RemoteFiles
    let abilities: Abilities
    /// It is read by another, who has to be told how long it is.
    private let isServed: Bool

    init(_ given: String, _ files: RemoteFiles, _ abilities: Abilities, isServed: Bool = false) throws {
        (shown, self.files, self.abilities, self.isServed) = (given, files, abilities, isServed)
        path = try RemotePath(given)
    }

    private init(_ other: RcloneEnd, path: RemotePath) {
        (shown, files, abilities, self.path) = (other.shown, other.files, other.abilities, path)
        isServed = other.isServed
    }

    var traits: CopyTraits {
        CopyTraits(
            publication: abilities.publication, keepsTimes: abilities.keepsTimes, keepsParts: false,
            checksums: abilities.checksums)
    }

    func facts(follow: Bool) async throws -> FileFacts? {
        guard let found = try await files.stat(path) else { return nil }
        if isServed, !found.hasSize {
            throw BackendFailure(
                .invalid, "rclone does not know how long \(shown) is, so no copy to another protocol could be checked")
        }
        return found.facts
    }

    func sibling(_ name: String) throws -> RcloneEnd { RcloneEnd(self, path: path.parent.child(name)) }

    func prepareParent(make: Bool, isMissing: Bool) async throws {
        // What is written makes what is missing of its way.
        guard path.parent != .root else { return }
        guard let found = try await files.stat(path.parent)?.facts else {
            if make { return }
            throw BackendFailure(.notFound, "/\(path.parent.text) does not exist (option parents makes it)")
        }
        if found.kind != .directory { throw BackendFailure(.invalid, "/\(path.parent.text) is not a directory") }
    }

    func publish(as target: RcloneEnd, replace: Bool) async throws -> Bool {
        // rclone renames over what is there. The moment between this look and the deed is open.
        if let there = try await files.stat(target.path)?.facts, !replace || there.kind != .file {
            throw BackendFailure(.exists, "\(target.shown) is there by now")
        }
        try await files.moveFile(path, to: target.path)
        return true
    }

    func discard() async throws {
        do { try await files.remove(path) } catch let failure as BackendFailure where failure.errorClass == .notFound {}
    }

    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        guard abilities.checksums.contains(algorithm) else { return nil }
        let hashes = try await files.stat(path, hash: algorithm.rawValue)?.hashes
        // A file may have none, where a service knows those of some alone.
        return hashes?[algorithm.rawValue].flatMap { $0.isEmpty ? nil : "\(algorithm.rawValue):\($0)" }
    }

    func reader(_ order: ReadOrder) async throws -> any CopyReader { try await RemoteReader(self, order) }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter { RemoteWriter(self, order) }
}
