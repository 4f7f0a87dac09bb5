/// What waits its turn, the oldest first.
struct FIFO<Element> {
    private var items: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }

    /// The oldest; to be changed in place, too.
    var first: Element? {
        get { isEmpty ? nil : items[head] }
        set { if !isEmpty { items[head] = newValue } }
    }

    mutating func append(_ item: Element) { items.append(item) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let item = items[head]
        items[head] = nil
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64, head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
        return item
    }

    mutating func removeAll() -> [Element] {
        defer { (items, head) = ([], 0) }
        return items[head...].compactMap { $0 }
    }
}
