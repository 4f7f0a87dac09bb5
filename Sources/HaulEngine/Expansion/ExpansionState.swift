import Foundation
import HaulLogs
import HaulModel

/// Where the expansion of a job's listing stands, as it is stored between two pieces.
struct ExpansionState: Sendable, Hashable, Codable {
    /// The attempt of element 0 whose listing it is.
    var attempt: Int
    var expansion = Expansion()
    /// Bytes of the source that is read: the listing, or for a REMOVE the sorted elements of `depth`.
    var offset = 0
    /// REMOVE only: the depth that is inserted; nil until its elements are sorted.
    var depth: Int?
    /// The id of the next element.
    var nextElement = 1

    init(attempt: Int) { self.attempt = attempt }

    init(text: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) }

    /// As it is stored. Keys are sorted: two servers that hold the same state hold the same text.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The listing that is expanded.
    func listing(of job: Job) -> AttemptKey { AttemptKey(logUID: job.logUID, element: 0, attempt: attempt) }
}

/// Elements to insert, and where the expansion stands after them: nil when they are the last.
struct ExpansionPiece {
    var seeds: [ElementSeed]
    var next: ExpansionState?
}
