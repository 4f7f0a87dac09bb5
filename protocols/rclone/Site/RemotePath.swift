import HaulModel
import HaulProtocol

/// A path below a remote, as rclone takes it: names parted by slashes, none at the ends; empty is the remote itself.
struct RemotePath: Hashable, Sendable {
    let text: String

    /// - Throws: ``BackendFailure`` (`invalid`) for what rclone would take for another path.
    init(_ given: String) throws {
        let below = given == "~" ? "" : given.hasPrefix("~/") ? String(given.dropFirst(2)) : given
        if below.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) {
            throw BackendFailure(
                .invalid, "\(EntryName.escaped(given.utf8)) holds a control character, of which rclone makes another")
        }
        let names = below.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }
        guard !names.contains("..") else { throw BackendFailure(.invalid, "\(given) holds ..") }
        text = names.joined(separator: "/")
    }

    private init(below text: String) { self.text = text }

    static let root = RemotePath(below: "")

    var parent: RemotePath {
        let names = text.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
        return RemotePath(below: names.dropLast().joined(separator: "/"))
    }

    var name: String {
        text.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
    }

    /// An entry of this directory, whose name was checked.
    func child(_ name: String) -> RemotePath { RemotePath(below: text.isEmpty ? name : "\(text)/\(name)") }
}
