import HaulModel
import HaulProtocol

/// How large things may be: the worker's settings for this protocol, within what S3 takes.
struct Limits: Sendable {
    /// The most parts of one upload ("Amazon S3 multipart upload limits").
    static let mostParts = 10_000

    /// Bytes from which on a file goes up in parts, and of such a part.
    let threshold: Int
    let part: Int
    /// Bytes from which on the server copies in parts, and of such a part.
    let copyThreshold: Int
    let copyPart: Int
    /// Bytes in memory of parts that were read and that the server does not have yet, of all files of a batch.
    let partMemory: Int
    /// Parts of one file on their way at a time, where its job does not say.
    private let streams: Int
    private static let mostStreams = 16
    /// Bytes of the largest part, and of the largest object that goes up or is copied in one request.
    static let largest = 5 << 30

    init(_ settings: [String: JSONValue]) {
        let smallest = 5 << 20
        func bytes(_ name: String, _ usual: Int) -> Int {
            min(Self.largest, max(smallest, settings[name]?.int ?? usual))
        }
        threshold = bytes("multipart_threshold", 64 << 20)
        part = bytes("part_size", 32 << 20)
        copyThreshold = bytes("copy_threshold", Self.largest)
        copyPart = bytes("copy_part_size", 512 << 20)
        partMemory = max(0, settings["part_memory"]?.int ?? 160 << 20)
        streams = min(Self.mostStreams, max(1, settings["part_streams"]?.int ?? 4))
    }

    /// Parts of one file on their way at a time.
    /// - Parameter asked: What its job says.
    func streams(asked: Int?) -> Int { min(Self.mostStreams, max(1, asked ?? streams)) }

    /// Bytes of each part but the last: the same for every attempt at a file of this size.
    static func partSize(_ size: Int, wanted: Int) -> Int {
        max(wanted, size / mostParts + (size % mostParts > 0 ? 1 : 0))
    }

    /// The parts of a file in order, as byte ranges; number 1 is the first.
    static func parts(_ size: Int, wanted: Int) -> [Range<Int>] {
        let step = partSize(size, wanted: wanted)
        return stride(from: 0, to: size, by: step).map { $0..<(size - $0 < step ? size : $0 + step) }
    }
}
