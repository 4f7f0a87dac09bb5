public import HaulModel

/// What a copy of one file has to do, decided from what is at both ends; shared by all backends, so that repeating
/// an element means the same everywhere (`protocols/README.md`, "Operations").
public enum CopyPlan: Sendable, Hashable {
    /// Nothing: the destination is already equal. The element is ok; `log` says why.
    case skip(log: String)
    /// Copy (or resume) into the part file, verify, rename over the final name.
    /// - `replace`: something is there and gives way; where false, the rename must not overwrite.
    case copy(replace: Bool)
    /// Sizes agree and more is asked for: compute both checksums (or compare the destination's with the element's own)
    /// and decide again with `sameContent`.
    case compareChecksums
    /// The element has failed.
    case fail(BackendFailure)

    /// - Parameters:
    ///   - source: What is at the source, with links as links; nil for nothing.
    ///     With `symlinks` = `follow`, pass what the link leads to.
    ///   - destination: What is at the destination, links followed; nil for nothing.
    ///   - sourcePath: For reasons.
    ///   - sameContent: Whether the checksums agree, once they are known.
    ///   - hasChecksum: The element carries a checksum: equal in size is not enough.
    ///   - keepsTimes: What arrives at the destination gets the source's time, so that another time is a difference
    ///     for `sync`; else only an older one is.
    public static func decide(
        source: FileFacts?, destination: FileFacts?, options: CommonOptions, sourcePath: String,
        destinationPath: String, sameContent: Bool? = nil, hasChecksum: Bool = false, keepsTimes: Bool = true
    ) -> CopyPlan {
        guard let source else { return .fail(.init(.notFound, "\(sourcePath) does not exist")) }
        switch source.kind {
        case .file: break
        case .directory: return .fail(.init(.invalid, "\(sourcePath) is a directory; an element copies one file"))
        case .link:
            return .fail(
                .init(.invalid, "\(sourcePath) is a symbolic link (option symlinks: follow copies its content)"))
        case .other: return .fail(.init(.invalid, "\(sourcePath) is neither a file nor a directory"))
        }
        guard let destination else { return .copy(replace: false) }
        switch destination.kind {
        case .file: break
        case .directory: return .fail(.init(.exists, "\(destinationPath) is a directory"))
        case .link, .other: return .fail(.init(.exists, "\(destinationPath) is there and is not a file"))
        }
        if options.overwrite == .always { return .copy(replace: true) }
        if options.sync, hasOtherTime(source, destination, keepsTimes) { return .copy(replace: true) }
        var same = source.size == destination.size
        let comparesContent = options.verify == .checksum || hasChecksum
        if same, comparesContent {
            guard let sameContent else { return .compareChecksums }
            same = sameContent
        }
        if same {
            let knowsTimes = source.modified != nil && destination.modified != nil
            let time = !options.sync || !knowsTimes ? "" : keepsTimes ? " and time" : ", and not older"
            let what = (comparesContent ? "size and checksum" : "size") + time
            return .skip(log: "\(destinationPath) is there already, equal in \(what) (\(source.size) bytes)")
        }
        if options.overwrite == .different || options.sync { return .copy(replace: true) }
        let how = source.size == destination.size ? "in content" : "(\(destination.size) bytes, not \(source.size))"
        return .fail(
            .init(.exists, "\(destinationPath) is there and differs \(how) (option overwrite: different replaces it)"))
    }

    private static func hasOtherTime(_ source: FileFacts, _ destination: FileFacts, _ keepsTimes: Bool) -> Bool {
        guard let sent = source.modified, let there = destination.modified else { return false }
        return keepsTimes ? sent != there : there < sent
    }
}
