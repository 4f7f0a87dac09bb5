import Foundation
import HaulHTTP
import HaulWire

/// Copies between two sites of a playground through haul, and with the bare tools, by turns: what each round finds is of
/// the same minutes. The times of haul are from the registration to the end of the job.
struct DataBench {
    private let target: Target
    private let errand: Errand
    private let rounds: Int
    private let from: BenchSite
    private let to: BenchSite

    init(_ target: Target, _ options: BenchOptions) throws {
        let playground = try PlaygroundFile.read(options.playground ?? "")
        let folder = "bench-\(ProcessInfo.processInfo.processIdentifier)"
        self.target = target
        from = try BenchSite(options.from, of: playground, folder: folder)
        to = try BenchSite(options.to, of: playground, folder: folder)
        errand = Errand(
            from: from, to: to, data: SampleData(files: options.entries, size: options.size),
            scratch: NSTemporaryDirectory() + "haul-\(folder)")
        rounds = options.rounds
    }

    func run() async throws -> Figures {
        try FileManager.default.createDirectory(
            atPath: errand.scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer {
            from.removeAll()
            to.removeAll()
            try? FileManager.default.removeItem(atPath: errand.scratch)
        }
        try from.make("src")
        try errand.data.write(into: from.disk + "/src")
        let yardsticks = try errand.yardsticks()
        var haul: [Spent] = []
        var bare = [[Spent]](repeating: [], count: yardsticks.count)
        // The first time of each fills caches and counts for nothing.
        for round in 0...rounds {
            let spent = try await clean { try await copy() }
            if round > 0 { haul.append(spent) }
            for (index, yardstick) in yardsticks.enumerated() {
                let spent = try await clean {
                    let seconds = try yardstick.run(log: errand.scratch + "/log")
                    if yardstick.isWhole { try errand.data.check(to.disk + "/dst", after: yardstick.name) }
                    return seconds
                }
                if round > 0 { bare[index].append(spent) }
            }
        }
        return figures(haul, zip(yardsticks, bare).map { ($0.name, $1) })
    }

    /// Runs `body` with an empty destination, on disks that have nothing left to write.
    private func clean(_ body: () async throws -> Double) async throws -> Spent {
        try to.remove("dst")
        try to.make("dst")
        sync()
        return try await Spent.on(body)
    }

    private func copy() async throws -> Double {
        let body = """
            {"src_siteid":"\(from.name)","dst_siteid":"\(to.name)","src_filepath":"\(errand.source)",\
            "dst_filepath":"\(errand.destination)","queue":"bench"}
            """
        let start = ContinuousClock.now
        try await target.finish(try await target.register("/copy", body), within: .seconds(1800))
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try errand.data.check(to.disk + "/dst", after: "haul")
        return seconds
    }

    private func figures(_ haul: [Spent], _ bare: [(name: String, spent: [Spent])]) -> Figures {
        let isOne = errand.isOneFile
        let work = isOne ? Double(errand.data.size) / 1e6 : Double(errand.data.files)
        let unit = isOne ? "MB/s" : "files/s"
        func rate(_ spent: Spent) -> Double { work / spent.seconds }
        /// What all programs of the machine did for it, the servers among them.
        func busy(_ spent: Spent) -> Figures.Row {
            let cost = spent.busy / work * (isOne ? 1e3 : 1e6)
            return .init(name: "  of \(Processors.count) processors", value: cost, unit: isOne ? "s a GB" : "us a file")
        }
        let ours = haul.median
        var rows: [Figures.Row] = [
            .init(name: "files", value: Double(errand.data.files), unit: "of \(errand.data.size) bytes"),
            .init(name: "haul, \(from.name) to \(to.name), median of \(haul.count)", value: rate(ours), unit: unit),
            busy(ours),
        ]
        for (name, spent) in bare.map({ ($0.name, $0.spent.median) }) {
            rows.append(.init(name: name, value: rate(spent), unit: unit))
            rows.append(busy(spent))
            rows.append(.init(name: "haul, of \(name)", value: rate(ours) / rate(spent), unit: "of it"))
        }
        return Figures(bench: "data", rows: rows)
    }
}
