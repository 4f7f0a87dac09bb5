import HaulModel
import Testing

@testable import HaulWorker

@Suite struct BatchPlanTests {
    private func sizes(_ work: [Assignment], slots: Int, concurrency: Int, limit: Int) -> [Int] {
        BatchPlan.batches(work, slots: slots) { _ in BackendCapacity(batch: limit, concurrency: concurrency) }.map(
            \.elements.count)
    }

    @Test(arguments: [
        (10, 4, 64, 256, [10]), (10, 4, 2, 256, [2, 3, 2, 3]), (10, 1, 2, 256, [10]), (10, 1, 64, 3, [2, 3, 2, 3]),
        (1, 4, 1, 1, [1]), (3, 8, 1, 256, [1, 1, 1]), (5, 2, 0, 0, [1, 1, 1, 1, 1]),
    ])
    func sharesOneJob(count: Int, slots: Int, concurrency: Int, limit: Int, expected: [Int]) throws {
        let work = try Claims.assignments(Claims.job(1, (0..<count).map { "/\($0)" }))
        let found = sizes(work, slots: slots, concurrency: concurrency, limit: limit)
        #expect(found.sorted() == expected.sorted())
        let batches = BatchPlan.batches(work, slots: slots) { _ in
            BackendCapacity(batch: limit, concurrency: concurrency)
        }
        #expect(batches.flatMap { $0.elements.map(\.key.elementID) } == Array(0..<count))
    }

    @Test func keepsErrandsApart() throws {
        let work = try Claims.assignments(
            Claims.job(1, ["/a", "/b"]), Claims.job(2, ["/a"]), Claims.job(3, ["/a"], to: "local"),
            Claims.job(4, ["/a"], type: .remove, to: nil), Claims.job(1, ["/c"]))
        let batches = BatchPlan.batches(work, slots: 2) { _ in BackendCapacity(batch: 256, concurrency: 64) }
        #expect(batches.map(\.elements.count) == [3, 1, 1, 1])
        #expect(batches.map(\.errand.isBridge) == [false, false, true, false])
        for batch in batches { #expect(batch.elements.allSatisfy { $0.errand == batch.errand }) }
    }

    /// Each errand by what its own protocol does at a time: one that does four at a time fills the free slots.
    @Test func heedsEachProtocol() throws {
        let paths = (0..<20).map { "/\($0)" }
        let work = try Claims.assignments(Claims.job(1, paths), Claims.job(2, paths, type: .remove, to: nil))
        let batches = BatchPlan.batches(work, slots: 6) { errand in
            BackendCapacity(batch: 256, concurrency: errand.operation == .remove ? 64 : 4)
        }
        #expect(batches.count { $0.errand.operation == .remove } == 1)
        #expect(batches.filter { $0.errand.operation != .remove }.map(\.elements.count) == [4, 4, 4, 4, 4])
    }

    @Test func isEmptyForNothing() {
        #expect(BatchPlan.batches([], slots: 4) { _ in BackendCapacity(batch: 1, concurrency: 1) }.isEmpty)
    }
}
