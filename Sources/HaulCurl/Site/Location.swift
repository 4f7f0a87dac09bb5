import HaulModel
public import HaulProtocol

/// A place at a site: the path of a job, resolved below the site's prefix, and the URL path that names it.
///
/// Compared and stored as bytes or as percent-encoded ASCII, never as `String` text: Swift holds the composed and the
/// decomposed form of a letter for equal, a server does not.
public struct Location: Equatable, Sendable {
    /// The path as the job gave it, without a trailing slash (`/` and `~` stay): what listings and messages show.
    public let given: String
    /// The names below the site's prefix, as bytes.
    public let segments: [[UInt8]]
    /// The encoded path below the prefix: empty for the prefix itself, else `/a/b%20c`.
    public let encoded: String
    /// The job's path ended in a slash: it means a directory.
    public let saysDirectory: Bool

    public struct Invalid: Error, Equatable {
        public let reason: String
    }

    /// Accepts absolute, `~/...` and relative paths; all lie below the site's prefix, which is `~`.
    public init(_ path: String) throws(Invalid) {
        var bytes = Array(path.utf8)[...]
        guard !bytes.isEmpty else { throw Invalid(reason: "the path is empty") }
        guard !bytes.contains(0) else { throw Invalid(reason: "the path holds a NUL byte") }
        if bytes.first == UInt8(ascii: "~"), bytes.count == 1 || bytes.dropFirst().first == UInt8(ascii: "/") {
            bytes = bytes.dropFirst()
        }
        var segments: [[UInt8]] = []
        for segment in bytes.split(separator: UInt8(ascii: "/"))
        where segment.elementsEqual([UInt8(ascii: ".")]) == false {
            // A server would resolve it, encoded or not, maybe above the prefix.
            guard !segment.elementsEqual("..".utf8) else { throw Invalid(reason: "the path holds a '..'") }
            segments.append(Array(segment))
        }
        self.segments = segments
        encoded = segments.reduce(into: "") { $0 += "/" + PercentEncoding.encode($1) }
        saysDirectory = path.utf8.last == UInt8(ascii: "/")
        var shown = Array(path.utf8)[...]
        while shown.count > 1, shown.last == UInt8(ascii: "/") { shown.removeLast() }
        given = String(decoding: shown, as: UTF8.self)
    }

    /// The same, with a failure for the element.
    public static func checked(_ path: String) throws(BackendFailure) -> Location {
        do { return try Location(path) } catch { throw BackendFailure(.invalid, "\(path): \(error.reason)") }
    }

    private init(given: String, segments: [[UInt8]], encoded: String) {
        self.given = given
        self.segments = segments
        self.encoded = encoded
        saysDirectory = false
    }

    /// The last name, for a listing of this one thing; `~` has none.
    public var name: String { String(decoding: segments.last ?? [], as: UTF8.self) }

    public var isRoot: Bool { segments.isEmpty }

    public func child(_ name: some Sequence<UInt8>) -> Location {
        let bytes = Array(name)
        let text = String(decoding: bytes, as: UTF8.self)
        return Location(
            given: given == "/" ? "/" + text : given + "/" + text, segments: segments + [bytes],
            encoded: encoded + "/" + PercentEncoding.encode(bytes))
    }

    /// The directory that holds it, shown as a listing of a single file shows it: `/p`, `/`, or `~` for a bare name.
    public var parent: Location {
        var shown = Array(given.utf8)
        if let slash = shown.lastIndex(of: UInt8(ascii: "/")) {
            shown = slash == 0 ? Array("/".utf8) : Array(shown[..<slash])
        } else {
            shown = Array("~".utf8)
        }
        let slash = encoded.utf8.lastIndex(of: UInt8(ascii: "/"))
        return Location(
            given: String(decoding: shown, as: UTF8.self), segments: segments.dropLast(),
            encoded: slash.map { String(encoded[..<$0]) } ?? "")
    }

    /// The same directory's entry under another name: where a part file stands.
    public func sibling(_ name: String) -> Location { parent.child(name.utf8) }
}
