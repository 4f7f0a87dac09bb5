/// The rules of paths in a job: absolute, `~/...`, or relative, which means below `~/`.
///
/// A path is kept and echoed as its user wrote it. These functions only look at it; none of them touches a file system.
/// They work on UTF-8: to Swift's `String` two spellings of `é` are equal and a slash before a combining accent is no
/// slash, to a file system neither is so.
public enum TransferPath {
    /// Bytes of UTF-8: PATH_MAX of Linux.
    public static let maximumLength = 4096

    private static let slash = UInt8(ascii: "/")

    /// What is wrong with a path, or nil.
    public static func problem(_ path: String) -> String? {
        if path.isEmpty { return "is empty" }
        if path.utf8.count > maximumLength { return "is longer than \(maximumLength) bytes" }
        if path.unicodeScalars.contains(where: isControl) { return "holds a control character" }
        if path.utf8.first == UInt8(ascii: "~") && path.utf8.count > 1 && path.utf8.dropFirst().first != slash {
            return "names another user's home: write ~/ or an absolute path"
        }
        return nil
    }

    /// One spelling for each place: relative paths are written from `~`; `.`, `..`, doubled and final slashes are
    /// resolved.
    public static func normalized(_ path: String) -> String {
        let bytes = path.utf8
        let isAbsolute = bytes.first == slash
        let isHome = bytes.first == UInt8(ascii: "~") && (bytes.count == 1 || bytes.dropFirst().first == slash)
        var parts: [Substring.UTF8View] = []
        for part in (isHome ? bytes.dropFirst() : bytes[...]).split(separator: slash) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
        }
        let joined = parts.map { String(Substring($0)) }.joined(separator: "/")
        if isAbsolute { return "/" + joined }
        return joined.isEmpty ? "~" : "~/" + joined
    }

    /// True when two paths are the same bytes.
    public static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    /// True for the top of a site: `/`, the home, what the site's own configuration names as its root, and whatever
    /// holds that.
    public static func isRoot(_ path: String, siteRoot: String?) -> Bool {
        let place = normalized(path)
        return place == "/" || place == "~" || siteRoot.map { relative(normalized($0), to: place) != nil } ?? false
    }

    /// A path without its final slashes; `/` stays.
    public static func trimmed(_ path: String) -> String {
        var bytes = path.utf8[...]
        while bytes.count > 1, bytes.last == slash { bytes = bytes.dropLast() }
        return String(Substring(bytes))
    }

    /// A path below a directory; an empty one on either side leaves the other.
    public static func join(_ directory: String, _ path: String) -> String {
        if path.isEmpty { return directory }
        if directory.isEmpty { return path }
        return directory.utf8.last == slash ? directory + path : directory + "/" + path
    }

    /// The directory that holds a path, as listings name it: `/p` of `/p/f`, `/` of `/f`, `~` of `f` and `~/f`.
    public static func parent(_ path: String) -> String {
        let bare = trimmed(path)
        guard let last = bare.utf8.lastIndex(of: slash) else { return "~" }
        return last == bare.utf8.startIndex ? "/" : trimmed(String(bare[..<last]))
    }

    /// The last component of a path: `f` of `/p/f/`.
    public static func name(_ path: String) -> String {
        let bare = trimmed(path)
        guard let last = bare.utf8.lastIndex(of: slash) else { return bare }
        return String(bare[bare.utf8.index(after: last)...])
    }

    /// What of `path` is below `directory`: empty for the directory itself, nil where it is not below.
    public static func relative(_ path: String, to directory: String) -> String? {
        if same(path, directory) { return "" }
        let prefix = directory.utf8.last == slash ? directory : directory + "/"
        guard path.utf8.starts(with: prefix.utf8) else { return nil }
        return String(Substring(path.utf8.dropFirst(prefix.utf8.count)))
    }

    /// Components of a path.
    public static func depth(_ path: String) -> Int { path.utf8.split(separator: slash).count }

    /// True for what can be a name in a directory: not empty, no slash, neither `.` nor `..`.
    public static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.utf8.contains(slash) && !name.utf8.contains(0) && !same(name, ".") && !same(name, "..")
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}
