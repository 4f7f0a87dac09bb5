import HaulModel
import HaulProtocol

/// A path of a job at a GridFTP site: what commands carry, and what messages show.
struct RemotePath: Sendable, Hashable {
    /// As the job gave it, without slashes at its end (`/` and `~` stay).
    let shown: String
    /// Absolute at the server, without a slash at its end but for `/`.
    let absolute: String
    /// The job's path ended in a slash: it means a directory.
    let saysDirectory: Bool

    /// - Parameter home: What `~` is at the server.
    /// - Throws: ``BackendFailure`` (`invalid`) for what a line of the control connection cannot carry, or what would name
    ///   something else than it says.
    init(_ path: String, home: String) throws(BackendFailure) {
        guard !path.isEmpty else { throw BackendFailure(.invalid, "the path is empty") }
        if let byte = path.utf8.first(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw BackendFailure(
                .invalid,
                "\(EntryName.escaped(path.utf8)) holds a control character (0x\(String(byte, radix: 16))), which a GridFTP "
                    + "command cannot carry")
        }
        saysDirectory = path.utf8.last == UInt8(ascii: "/")
        if Self.isPlain(path) {
            (shown, absolute) = (path, path)
            return
        }
        var rest = path[...]
        var base = ""
        if rest.utf8.first != UInt8(ascii: "/") {
            base = home
            if rest == "~" || rest.hasPrefix("~/") { rest = rest.dropFirst() }
        }
        var names: [Substring] = []
        for name in rest.split(separator: "/") where name != "." {
            guard name != ".." else { throw BackendFailure(.invalid, "\(path) holds a '..'") }
            names.append(name)
        }
        let below = names.map { "/" + $0 }.joined()
        let trimmed = base == "/" ? "" : base
        absolute = trimmed + below == "" ? "/" : trimmed + below
        shown = ListingPath.directory(path)
    }

    /// Absolute, with nothing in it that would be left out: most are.
    private static func isPlain(_ path: String) -> Bool {
        var path = path
        return path.withUTF8 { bytes in
            guard bytes.count > 1, bytes[0] == UInt8(ascii: "/"), bytes[bytes.count - 1] != UInt8(ascii: "/") else {
                return false
            }
            for index in 1..<bytes.count where bytes[index - 1] == UInt8(ascii: "/") {
                if bytes[index] == UInt8(ascii: "/") { return false }
                let rest = bytes[index...].prefix { $0 != UInt8(ascii: "/") }
                if rest.count <= 2, rest.allSatisfy({ $0 == UInt8(ascii: ".") }) { return false }
            }
            return true
        }
    }

    private init(shown: String, absolute: String) {
        self.shown = shown
        self.absolute = absolute
        saysDirectory = false
    }

    var isRoot: Bool { absolute == "/" }

    /// The last name; empty for the root.
    var name: String {
        guard let slash = absolute.utf8.lastIndex(of: UInt8(ascii: "/")) else { return absolute }
        return String(absolute[absolute.utf8.index(after: slash)...])
    }

    var parent: RemotePath {
        RemotePath(shown: ListingPath.parent(shown).directory, absolute: ListingPath.parent(absolute).directory)
    }

    func child(_ name: String) -> RemotePath {
        RemotePath(shown: ListingPath.child(shown, name), absolute: ListingPath.child(absolute, name))
    }

    /// The same directory's entry under another name: where a part file stands.
    func sibling(_ name: String) -> RemotePath { parent.child(name) }

    /// By bytes, not as text: Swift holds composed and decomposed letters for equal, a server does not.
    static func == (one: RemotePath, other: RemotePath) -> Bool {
        let isSame: Bool?? = one.absolute.utf8.withContiguousStorageIfAvailable { left in
            other.absolute.utf8.withContiguousStorageIfAvailable { right in
                left.count == right.count && left.elementsEqual(right)
            }
        }
        return (isSame ?? nil) ?? one.absolute.utf8.elementsEqual(other.absolute.utf8)
    }

    func hash(into hasher: inout Hasher) {
        let isOnePiece: Void? = absolute.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isOnePiece == nil { for byte in absolute.utf8 { hasher.combine(byte) } }
    }
}
