import Foundation
import HaulModel
import HaulProtocol

/// The files of a site, by commands of rclone's remote control.
struct RemoteFiles: Sendable {
    let control: RemoteControl
    /// What rclone calls the site: `haul-source:`.
    let remote: String

    /// What is at a path; nil for nothing.
    /// - Parameter hash: Ask for a checksum, too, which a server may have to compute.
    func stat(_ path: RemotePath, hash: String? = nil) async throws -> Stat? {
        var options: [String: JSONValue] = ["noMimeType": true]
        if let hash { (options["showHash"], options["hashTypes"]) = (true, .array([.string(hash)])) }
        do {
            let answer = try await call(
                "operations/stat", path, ["opt": .object(options)], "cannot look at /\(path.text)")
            return answer["item"].flatMap { Stat($0) }
        } catch let failure as BackendFailure where failure.errorClass == .notFound {
            return nil
        } catch let failure as BackendFailure
            where failure.errorClass == .invalid
            && SaidText(failure.reason, about: [path.text]).says("not a directory")
        {
            // Below a file nothing is.
            return nil
        }
    }

    /// - Parameter shown: The directory as the listing names it.
    func entries(_ path: RemotePath, shown: String) async throws -> [ListingEntry] {
        let answer = try await call(
            "operations/list", path, ["opt": ["noMimeType": true]], "cannot list \(shown)")
        guard let items = answer["list"]?.array else {
            throw BackendFailure(.backend, "rclone lists nothing of \(shown)")
        }
        return try items.map { item in
            guard let found = Stat(item) else { throw BackendFailure(.backend, "rclone lists what is no item") }
            // rclone shows what is not UTF-8 repaired, which means another file, or none.
            if found.name.unicodeScalars.contains("\u{fffd}") {
                throw BackendFailure(
                    .invalid,
                    "\(shown) holds the name \"\(found.name)\", which is not UTF-8 (rclone shows no more of it): no job "
                        + "can name it; rename it at the site")
            }
            return found.entry(named: try EntryName.text(found.name.utf8, in: shown))
        }
    }

    func remove(_ path: RemotePath) async throws {
        _ = try await call("operations/deletefile", path, [:], "cannot remove /\(path.text)")
    }

    func removeDirectory(_ path: RemotePath) async throws {
        _ = try await call("operations/rmdir", path, [:], "cannot remove /\(path.text)")
    }

    /// Makes it and what is missing above it; being there is fine.
    func makeDirectory(_ path: RemotePath) async throws {
        _ = try await call("operations/mkdir", path, [:], "cannot make /\(path.text)")
    }

    /// Renames a file, and replaces one that is there.
    func moveFile(_ from: RemotePath, to: RemotePath) async throws {
        _ = try await control.call(
            "operations/movefile",
            [
                "srcFs": .string(remote), "srcRemote": .string(from.text), "dstFs": .string(remote),
                "dstRemote": .string(to.text),
            ], "cannot rename /\(from.text) to /\(to.text)")
    }

    func moveDirectory(_ from: RemotePath, to: RemotePath) async throws {
        _ = try await control.call(
            "sync/move",
            [
                "srcFs": .string(remote + from.text), "dstFs": .string(remote + to.text), "createEmptySrcDirs": true,
                "deleteEmptySrcDirs": true,
            ], "cannot rename /\(from.text) to /\(to.text)")
    }

    /// Where `--rc-serve` shows the file.
    func target(_ path: RemotePath) -> String {
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/".utf8)
        let escaped = path.text.utf8.map { byte in
            unreserved.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return "/%5B\(remote)%5D/" + escaped.joined()
    }

    private func call(
        _ command: String, _ path: RemotePath, _ more: [String: JSONValue], _ what: String
    ) async throws -> [String: JSONValue] {
        let place: [String: JSONValue] = ["fs": .string(remote), "remote": .string(path.text)]
        return try await control.call(command, place.merging(more) { $1 }, what)
    }
}
