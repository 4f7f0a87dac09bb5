import HaulModel
import HaulProtocol

/// What a remote's backend can (`operations/fsinfo`), asked once a batch.
struct Abilities: Sendable, Hashable {
    var features: Set<String>
    /// The checksums that it has of its files, of those that are known here.
    var checksums: [StreamHash.Algorithm]
    /// Files get the time that they are given, to the second at least.
    var keepsTimes: Bool

    static func ask(_ files: RemoteFiles) async throws -> Abilities {
        Abilities(
            try await files.control.call(
                "operations/fsinfo", ["fs": .string(files.remote)], "cannot use the remote"))
    }

    init(_ answer: [String: JSONValue]) {
        features = Set((answer["Features"]?.object ?? [:]).filter { $0.value.bool == true }.keys)
        let hashes = (answer["Hashes"]?.array ?? []).compactMap(\.string)
        checksums = StreamHash.Algorithm.allCases.filter { hashes.contains($0.rawValue) }
        // Nanoseconds; where times cannot be set, a hundred years.
        keepsTimes = (answer["Precision"]?.int ?? .max) <= 1_000_000_000
    }

    /// How a file comes to its final name.
    var publication: CopyTraits.Publication {
        if features.contains("Move") { return .rename }
        return features.contains("BucketBased") ? .whole : .inPlace
    }
}
