import HaulModel

/// The file that a copy writes before its final name: `.haul-part-` and 16 hexadecimal digits, in the destination's
/// directory. The same for every attempt at an element while its source stays the same, so that a later attempt finds
/// what an earlier one left; another for a source that changed, so that no old bytes end up in a new file.
public enum PartFile {
    /// What the names start with. A LIST shows them; the server's expansion of a tree skips them.
    public static let prefix = ".haul-part-"

    /// - Parameters:
    ///   - seed: The element's ``ElementSpec/partSeed``.
    ///   - size: The source's bytes.
    ///   - modified: The source's modification time in seconds; 0 where the protocol has none.
    public static func name(seed: String, size: Int, modified: Int) throws -> String {
        let hash = try StreamHash(.sha256)
        hash.update("\(seed)\n\(size)\n\(modified)".utf8)
        return prefix + hash.finish().dropFirst("sha256:".count).prefix(16)
    }

    /// Where a copy goes on: the part's size, or 0 where there is no part or it is no beginning of this source.
    /// - Parameters:
    ///   - part: The size of the part file that is there; nil for none.
    ///   - source: The source's size.
    public static func resumeOffset(part: Int?, source: Int) -> Int {
        guard let part, part > 0, part <= source else { return 0 }
        return part
    }
}
