import Foundation
import HaulModel

/// Checks the lines of a listing: each is a ``ListingLine``, names are names, and the lines of a directory stand
/// together. What it remembers is a hash a directory.
struct ListingCheck {
    private(set) var lines = 0
    private(set) var entries = 0
    var directories: Int { seen.count }
    private var current: [UInt8]?
    private var seen: Set<Int> = []
    private let decoder = JSONDecoder()

    mutating func take(_ text: ArraySlice<UInt8>) throws(LogError) {
        lines += 1
        guard let line = try? decoder.decode(ListingLine.self, from: Data(text)) else {
            throw .invalidListing(
                line: lines, why: "is no entry: {\"dir\", \"name\", \"st_size\", \"st_mode\", \"st_mtime\"}")
        }
        if let entry = line.entry {
            guard TransferPath.isName(entry.name) else {
                throw .invalidListing(line: lines, why: "has a name that can be none in a directory")
            }
            entries += 1
        }
        let directory = Array(line.directory.utf8)
        guard !directory.isEmpty, !directory.contains(0) else {
            throw .invalidListing(line: lines, why: "has an empty directory name")
        }
        if directory == current { return }
        current = directory
        guard seen.insert(Self.hash(directory)).inserted else {
            throw .invalidListing(line: lines, why: "comes back to a directory that had ended")
        }
    }

    private static func hash(_ bytes: [UInt8]) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
