/// The `directory` of a listing's chunks: the source path as the user gave it, without slashes at its end, and the
/// way below it (`protocols/README.md`, "LIST").
public enum ListingPath {
    /// The directory's own path as chunks name it: `/data/` is `/data`, `/` stays, an empty path is `~`.
    public static func directory(_ source: String) -> String {
        let trimmed = trim(source)
        if !trimmed.isEmpty { return trimmed }
        return source.utf8.first == UInt8(ascii: "/") ? "/" : "~"
    }

    /// A directory below: `child("/", "a")` is `/a`, `child("x/y", "z")` is `x/y/z`.
    public static func child(_ directory: String, _ name: String) -> String {
        directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
    }

    /// A path split for a listing of itself alone (a file, or depth 0): `/p/f` is (`/p`, `f`), `/f` is (`/`, `f`),
    /// `f` and `~/f` are (`~`, `f`); `/` and `~` are themselves with the name `.`.
    public static func parent(_ source: String) -> (directory: String, name: String) {
        let path = trim(source)
        if path.isEmpty || path == "~" { return (directory(source), ".") }
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("~", path) }
        let name = String(path[path.utf8.index(after: slash)...])
        return (slash == path.utf8.startIndex ? "/" : trim(String(path[..<slash])), name)
    }

    private static func trim(_ path: String) -> String {
        guard path.utf8.last == UInt8(ascii: "/") else { return path }
        var bytes = path.utf8[...]
        while bytes.last == UInt8(ascii: "/") { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
