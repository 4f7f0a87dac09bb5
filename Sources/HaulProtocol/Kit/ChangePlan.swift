public import HaulModel

/// What remove, rename and mkdir have to do, decided from what is there and which attempt it is: a crash can fall
/// between the deed and its report, so a later attempt that finds the deed done is ok, and says so.
public enum ChangePlan: Sendable, Hashable {
    /// Do it. For a rename, `replace` tells whether a file at the destination gives way.
    case go(replace: Bool)
    /// It is done already; the element is ok, `log` says why.
    case done(log: String)
    case fail(BackendFailure)

    /// REMOVE of a file or link, or (a path that ends in `/`) of an empty directory.
    /// - Parameter found: What is at the path, links as links; nil for nothing.
    public static func remove(_ path: String, found: FileFacts?, attempt: Int) -> ChangePlan {
        guard let found else {
            if attempt > 1 { return .done(log: "\(path) is gone already; an earlier attempt may have removed it") }
            return .fail(.init(.notFound, "\(path) does not exist"))
        }
        switch (wantsDirectory: path.utf8.last == UInt8(ascii: "/"), isDirectory: found.kind == .directory) {
        case (true, false): return .fail(.init(.invalid, "\(path) is not a directory"))
        case (false, true):
            return .fail(.init(.invalid, "\(path) is a directory; it is removed as \(path)/, once empty"))
        default: return .go(replace: false)
        }
    }

    /// - Parameters:
    ///   - found: What is at the path, links followed; nil for nothing.
    ///   - parents: The batch's option: like `mkdir -p`, what is there is fine.
    public static func mkdir(_ path: String, found: FileFacts?, parents: Bool, attempt: Int) -> ChangePlan {
        guard let found else { return .go(replace: false) }
        guard found.kind == .directory else { return .fail(.init(.exists, "\(path) is there and is not a directory")) }
        if parents || attempt > 1 { return .done(log: "\(path) is there already") }
        return .fail(.init(.exists, "\(path) is there already"))
    }

    /// - Parameters:
    ///   - source: What is at the source, links as links; nil for nothing.
    ///   - destination: What is at the destination, links as links; nil for nothing.
    public static func rename(
        from sourcePath: String, to destinationPath: String, source: FileFacts?, destination: FileFacts?,
        overwrite: CommonOptions.Overwrite, attempt: Int
    ) -> ChangePlan {
        guard let source else {
            if attempt > 1, destination != nil {
                return .done(log: "\(sourcePath) is gone and \(destinationPath) there: an earlier attempt renamed it")
            }
            return .fail(.init(.notFound, "\(sourcePath) does not exist"))
        }
        guard let destination else { return .go(replace: false) }
        if destination.kind == .directory { return .fail(.init(.exists, "\(destinationPath) is a directory")) }
        if overwrite == .never || source.kind == .directory {
            return .fail(.init(.exists, "\(destinationPath) is there already"))
        }
        return .go(replace: true)
    }
}
