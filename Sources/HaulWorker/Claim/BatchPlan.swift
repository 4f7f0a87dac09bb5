/// Elements with one errand that go to one backend process, and so into one slot.
public struct Batch: Sendable {
    public var errand: Errand
    public var elements: [Assignment]
}

/// How the elements of a claim become batches.
public enum BatchPlan {
    /// Groups elements by errand, in order; with more free slots than groups, splits the big groups over the slots, each
    /// part at least what a backend works on at a time.
    /// - Parameters:
    ///   - slots: free slots.
    ///   - concurrency: elements that one backend works on at a time.
    ///   - limit: the most elements of one backend process for an errand.
    public static func batches(
        _ work: [Assignment], slots: Int, concurrency: Int, limit: (Errand) -> Int
    ) -> [Batch] {
        var order: [Errand] = []
        var groups: [Errand: [Assignment]] = [:]
        for assignment in work {
            if groups[assignment.errand] == nil { order.append(assignment.errand) }
            groups[assignment.errand, default: []].append(assignment)
        }
        var parts = order.map { errand in
            let count = groups[errand]?.count ?? 0
            return (count + max(1, limit(errand)) - 1) / max(1, limit(errand))
        }
        while parts.reduce(0, +) < slots {
            // The group whose parts are largest gets one more, while that still fills a backend.
            let sizes = order.indices.map { (groups[order[$0]]?.count ?? 0) / parts[$0] }
            guard let index = sizes.indices.max(by: { sizes[$0] < sizes[$1] }) else { break }
            let count = groups[order[index]]?.count ?? 0
            guard count / (parts[index] + 1) >= max(1, concurrency) else { break }
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
