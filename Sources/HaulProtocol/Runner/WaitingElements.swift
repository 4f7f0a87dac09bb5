import HaulModel

/// Elements that a backend has not got yet, first come first served. What one costs does not depend on how many wait.
struct WaitingElements: Sendable {
    private var elements: [String: ElementSpec] = [:]
    /// Ids in order from `head` on; of those that were removed some are still there.
    private var order: [String] = []
    private var head = 0

    var isEmpty: Bool { elements.isEmpty }

    /// In order.
    var all: [ElementSpec] { order[head...].compactMap { elements[$0] } }

    func contains(_ id: String) -> Bool { elements[id] != nil }

    mutating func append(_ element: ElementSpec) {
        if elements.updateValue(element, forKey: element.id) == nil { order.append(element.id) }
    }

    /// - Returns: false where it does not wait.
    @discardableResult
    mutating func remove(_ id: String) -> Bool { elements.removeValue(forKey: id) != nil }

    mutating func popFirst() -> ElementSpec? {
        while head < order.count {
            let id = order[head]
            head += 1
            if head * 2 > order.count {
                order.removeFirst(head)
                head = 0
            }
            if let element = elements.removeValue(forKey: id) { return element }
        }
        return nil
    }

    mutating func removeAll() { self = Self() }
}
