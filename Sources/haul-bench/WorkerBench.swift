import Foundation
import HaulHTTP
import HaulWire

/// What the worker itself costs: elements that do nothing, and the processor time and memory of its process.
struct WorkerBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let worker = ServerProcess(try PlaygroundFile.read(options.playground ?? "").part("worker-1"))
        let files = options.entries
        // The first one starts what is started once.
        try await copy(files: 100)
        try worker.forgetPeak()
        let before = worker.processorSeconds
        let start = ContinuousClock.now
        try await copy(files: files)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let used = worker.processorSeconds - before
        return Figures(
            bench: "worker",
            rows: [
                .init(name: "elements", value: Double(files), unit: "elements"),
                .init(name: "through haul", value: Double(files) / seconds, unit: "elements/s"),
                .init(name: "the worker's processor time", value: used / Double(files) * 1000, unit: "ms an element"),
                .init(name: "the worker's peak memory", value: worker.peakMemory, unit: "MiB"),
            ])
    }

    private func copy(files: Int) async throws {
        let body = """
            {"src_siteid":"\(options.site)","dst_siteid":"\(options.site)","src_filepath":"/tree/\(files)",\
            "dst_filepath":"/bench","queue":"bench"}
            """
        try await target.finish(try await target.register("/copy", body), within: .seconds(600))
    }
}
