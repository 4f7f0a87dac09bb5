import HaulModel
import Testing

@testable import HaulProtocol

/// What waits for a backend: in order, known by id, and each only once.
@Suite struct WaitingElementsTests {
    private func element(_ id: Int, _ path: String = "/f") -> ElementSpec {
        ElementSpec(id: "\(id)", source: path)
    }

    @Test func inOrder() {
        var waiting = WaitingElements()
        #expect(waiting.isEmpty && waiting.popFirst() == nil && !waiting.remove("1"))
        for id in 1...9 { waiting.append(element(id)) }
        waiting.append(element(3, "/again"))
        #expect(waiting.remove("1") && !waiting.remove("1") && waiting.remove("5"))
        #expect(!waiting.contains("5") && waiting.contains("6"))
        #expect(waiting.all.map(\.id) == ["2", "3", "4", "6", "7", "8", "9"])
        #expect(waiting.popFirst()?.id == "2")
        #expect(waiting.popFirst()?.source == "/again")
        for id in 10...12 { waiting.append(element(id)) }
        var rest: [String] = []
        while let next = waiting.popFirst() { rest.append(next.id) }
        #expect(rest == ["4", "6", "7", "8", "9", "10", "11", "12"] && waiting.isEmpty && waiting.all.isEmpty)
        // One that was taken may come again.
        waiting.append(element(4))
        #expect(waiting.popFirst()?.id == "4" && waiting.popFirst() == nil)
        // One that was removed and comes again is there once, and what was removed leaves no more behind than what came.
        for _ in 0..<1000 {
            waiting.append(element(7))
            waiting.remove("7")
        }
        waiting.append(element(7))
        #expect(waiting.popFirst()?.id == "7" && waiting.popFirst() == nil)
        waiting.append(element(8))
        waiting.removeAll()
        #expect(waiting.isEmpty && waiting.popFirst() == nil)
    }
}
