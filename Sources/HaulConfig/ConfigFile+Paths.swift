import Foundation

extension ConfigFile {
    /// A path that stands in a config file as a path that can be opened: `~/...` is below the home of who runs the
    /// program, and a relative one is below the folder of the config file, so that a program may be started anywhere.
    public static func resolve(_ path: String, relativeTo configFile: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/") { return home + path.dropFirst() }
        let folder = configFile.lastIndex(of: "/").map { String(configFile[...$0]) } ?? ""
        return folder + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// The home of who runs the program, without a final slash.
    private static var home: String {
        let given = ProcessInfo.processInfo.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
        return given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
    }
}
