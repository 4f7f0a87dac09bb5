import HaulModel
import HaulProtocol

/// How a file is cut into parts: the same for every attempt at it.
///
/// A file of this machine is cut as the worker's settings say; what is there of it is compared with it, all of it. Of one that
/// comes from elsewhere that would be another transfer: its parts are up to a megabyte longer, by a number that no other file,
/// and no other state of this one, has in common with it, but for one in a million.
struct PartCut: Sendable {
    /// In order, as bytes of the file; number 1 is the first.
    let ranges: [Range<Int>]
    /// The parts say whose they are.
    let isOwn: Bool

    init<Source: CopyEnd>(_ move: CopyMove<Source, S3End>) {
        let part = move.target.bucket.limits.part
        isOwn = !move.source.traits.isNear
        ranges =
            isOwn
            ? Self.own(part, seed: move.target.element.partSeed, move.facts)
            : Limits.parts(move.facts.size, wanted: part)
    }

    /// - Parameter seed: The element's, the same for each attempt at it.
    static func own(_ part: Int, seed: String, _ facts: FileFacts) -> [Range<Int>] {
        let spread = 1 << 20
        let state = "\(seed)\n\(facts.nanoseconds ?? 0)\n\(facts.version ?? "")"
        let name = try? PartFile.name(seed: state, size: facts.size, modified: facts.modified ?? 0)
        let digits = name.flatMap { Int($0.dropFirst(PartFile.prefix.count).prefix(15), radix: 16) } ?? 0
        let least = min(Limits.partSize(facts.size, wanted: part), Limits.largest - spread)
        return Limits.parts(facts.size, wanted: least + digits % spread)
    }

    /// Whether parts are cut as this file is.
    func fits(_ parts: [MultipartUpload.Part]) -> Bool {
        !parts.isEmpty
            && parts.allSatisfy { ranges.indices.contains($0.number - 1) && $0.size == ranges[$0.number - 1].count }
    }

    /// Whether such parts are of this file for certain: the last one's length says nothing.
    func proves(_ parts: [MultipartUpload.Part]) -> Bool { isOwn && parts.contains { $0.number < ranges.count } }
}
