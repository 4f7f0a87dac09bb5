import HaulModel
import HaulProtocol

/// A path as an XRootD server takes it: absolute, one slash between names.
struct RemotePath: Hashable, Sendable {
    let text: String

    /// - Parameters:
    ///   - given: As the user wrote it.
    ///   - home: What `~` and relative paths mean.
    /// - Throws: ``BackendFailure`` (`invalid`) for what the protocol or its tools cannot carry.
    init(_ given: String, home: String) throws {
        var below = given
        if given.utf8.first != UInt8(ascii: "/") {
            below = given == "~" ? "" : given.hasPrefix("~/") ? String(given.dropFirst(2)) : given
            below = home + "/" + below
        }
        if let why = Self.problem(below) {
            throw BackendFailure(.invalid, "\(EntryName.escaped(given.utf8)) \(why); rename it by other means")
        }
        let names = below.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }
        guard !names.contains("..") else {
            throw BackendFailure(.invalid, "\(given) holds .., which XRootD takes nowhere in a path")
        }
        if names.contains(where: { $0.utf8.count > Self.longestName }) {
            throw BackendFailure(
                .invalid,
                "\(given.prefix(60))... holds a name of more than \(Self.longestName) bytes, which a server lists cut")
        }
        text = "/" + names.joined(separator: "/")
    }

    /// Bytes of the longest name that a server's listings show whole.
    static let longestName = 254

    private init(absolute text: String) { self.text = text }

    static let root = RemotePath(absolute: "/")

    /// The directory that it is in; the root is in itself.
    var parent: RemotePath { RemotePath(absolute: ListingPath.parent(text).directory) }

    /// An entry of this directory, whose name was checked.
    func child(_ name: String) -> RemotePath { RemotePath(absolute: ListingPath.child(text, name)) }

    /// What the path of every entry of this directory starts with.
    var prefix: String { text == "/" ? text : text + "/" }

    /// As a word of an xrdfs command, which quotes like a shell and has no escapes: what holds a `"` is put together.
    var quoted: String { Self.quoted(text) }

    static func quoted(_ text: String) -> String {
        text.utf8.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
            .map { "\"\(Substring($0))\"" }.joined(separator: "'\"'")
    }

    /// Why no tool could name it.
    private static func problem(_ path: String) -> String? {
        if path.utf8.contains(UInt8(ascii: "?")) {
            return "holds a ?, after which XRootD reads parameters of the request"
        }
        let control = path.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
        return control ? "holds a control character, which xrdfs takes no command with" : nil
    }
}
