/// Elements with one errand that go to one backend process, and so into one slot.
public struct Batch: Sendable {
    public var errand: Errand
    public var elements: [Assignment]
}

/// What one backend process takes of an errand.
public struct BackendCapacity: Sendable, Hashable {
    /// Elements in all.
    public var batch: Int
    /// Elements at a time.
    public var concurrency: Int

    public init(batch: Int, concurrency: Int) {
        self.batch = batch
        self.concurrency = concurrency
    }
}

/// How the elements of a claim become batches.
public enum BatchPlan {
    /// Groups elements by errand, in order; with more free slots than groups, splits the big groups over the slots, each
    /// part at least what a backend works on at a time.
    /// - Parameters:
    ///   - slots: free slots.
    ///   - capacity: what one backend process takes of an errand.
    public static func batches(
        _ work: [Assignment], slots: Int, capacity: (Errand) -> BackendCapacity
    ) -> [Batch] {
        var order: [Errand] = []
        var groups: [Errand: [Assignment]] = [:]
        for assignment in work {
            if groups[assignment.errand] == nil { order.append(assignment.errand) }
            groups[assignment.errand, default: []].append(assignment)
        }
        var parts = order.map { errand in
            let (count, most) = (groups[errand]?.count ?? 0, max(1, capacity(errand).batch))
            return (count + most - 1) / most
        }
        while parts.reduce(0, +) < slots {
            // The group whose parts are largest gets one more, of those that would still fill each backend.
            let sizes = order.indices.map { (groups[order[$0]]?.count ?? 0, parts[$0]) }
            let index = order.indices.filter {
                sizes[$0].0 / (sizes[$0].1 + 1) >= max(1, capacity(order[$0]).concurrency)
            }
            .max { sizes[$0].0 / sizes[$0].1 < sizes[$1].0 / sizes[$1].1 }
            guard let index else { break }
            parts[index] += 1
        }
        return zip(order, parts).flatMap { errand, parts in
            split(groups[errand] ?? [], into: parts).map { Batch(errand: errand, elements: $0) }
        }
    }

    /// `parts` runs of almost one length.
    private static func split(_ elements: [Assignment], into parts: Int) -> [[Assignment]] {
        var result: [[Assignment]] = []
        var start = 0
        for part in 0..<parts {
            let end = start + (elements.count - start) / (parts - part)
            result.append(Array(elements[start..<end]))
            start = end
        }
        return result.filter { !$0.isEmpty }
    }
}
