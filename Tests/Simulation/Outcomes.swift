import HaulModel

/// What workers were told of the outcomes of their attempts, against what stands in the database.
struct Outcomes: Sendable {
    let accepted: Set<AttemptID>
    private let unknown: Set<AttemptID>
    private let successes: Set<AttemptID>
    /// The successes of each element that were accepted.
    private let acceptedSuccesses: [ElementName: [AttemptID]]

    private struct ElementName: Hashable {
        var job, element: Int
    }

    init(_ record: Record) {
        accepted = Set(record.accepted.keys)
        unknown = record.unknown
        successes = record.successes
        acceptedSuccesses = Dictionary(grouping: accepted.intersection(successes)) {
            ElementName(job: $0.jobID, element: $0.elementID)
        }
    }

    /// What is wrong with elements: each is DONE if, and only if, one success of it was accepted, that of its last attempt;
    /// or it may have been, and nobody heard.
    func faults(of elements: [Element]) -> [String] {
        elements.compactMap { element in
            let taken = acceptedSuccesses[ElementName(job: element.jobID, element: element.id)] ?? []
            let last = AttemptID(jobID: element.jobID, elementID: element.id, number: element.attempts)
            if element.phase == .done {
                if taken == [last] || taken.isEmpty && unknown.contains(last) && successes.contains(last) { return nil }
                return "element \(element.jobID).\(element.id) is DONE after \(last), accepted successes: \(taken)"
            }
            return taken.isEmpty ? nil : "\(taken) succeeded, its element is \(element.phase)"
        }
    }
}
