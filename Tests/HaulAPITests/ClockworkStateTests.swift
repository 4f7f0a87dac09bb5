import HaulModel
import Testing

@testable import HaulAPI

@Suite struct ClockworkStateTests {
    private func state(_ status: Status, _ error: ErrorClass? = nil, started: Bool = false) -> ClockworkState {
        let time = Timestamp(milliseconds: 0)
        var job = Job(
            id: 1, userID: 1, queue: "", type: .list, protocolName: .ssh, status: status,
            source: .init(siteID: 1, path: ""), destination: nil, options: [:], priority: 5, maxTries: 2, label: nil,
            logUID: "", registered: time, changed: time, counts: StatusCounts())
        if started { job.started = time }
        job.errorClass = error
        return ClockworkState(job)
    }

    @Test func ofJobs() {
        #expect(state(.new) == .pending && state(.submitted) == .pending)
        #expect(state(.submitted, started: true) == .running && state(.running, started: true) == .running)
        #expect(state(.done) == .completed && state(.cancelled, .deadline) == .cancelled)
        #expect(state(.failed) == .failed && state(.failed, .timeout) == .failed)
        #expect(state(.failed, .deadline) == .timeout && state(.failed, .lost) == .nodeFail)
    }

    @Test func ofNodes() {
        func state(_ holding: Int, isDrained: Bool = false, slots: Int = 4) -> ClockworkNodeState {
            let time = Timestamp(milliseconds: 0)
            let record = WorkerRecord(name: "w", host: "h", version: "1", slots: slots, protocols: [], sites: [])
            return ClockworkNodeState(
                KnownWorker(
                    record: record, load: nil, seen: time, drained: isDrained ? time : nil, session: 1, holding: holding
                ))
        }
        #expect(state(0) == .idle && state(0, slots: 0) == .idle)
        #expect(state(1) == .mixed && state(3) == .mixed)
        #expect(state(4) == .allocated && state(5) == .allocated)
        for holding in [1, 4, 5] { #expect(state(holding, isDrained: true) == .draining) }
        #expect(state(0, isDrained: true) == .drained)
    }

    /// What a list is narrowed to are the jobs that show these states, and no others.
    @Test func narrowing() {
        var filter = JobFilter()
        ClockworkState.narrow(&filter, to: [.pending, .timeout])
        #expect(filter.stages == [.uncommitted, .waiting, .failed] && filter.failures == [.deadline])
        ClockworkState.narrow(&filter, to: [.failed])
        #expect(filter.stages == [.failed] && filter.failures?.count == ErrorClass.allCases.count - 3)
        ClockworkState.narrow(&filter, to: [])
        #expect(filter.stages == [])
        ClockworkState.narrow(&filter, to: Set(ClockworkState.allCases))
        #expect(filter.stages == Set(JobStage.allCases) && filter.failures == Set(ErrorClass.allCases))
    }
}
