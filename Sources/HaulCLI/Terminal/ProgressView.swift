import HaulWire

/// How far jobs are: one line redrawn on a terminal, elsewhere a line where something changed, one in 5 s at most.
struct ProgressView {
    struct Bytes {
        var done = 0.0
        var total = 0.0
    }

    private let output: Output
    private let clock = ContinuousClock()
    private var lastLine = ""
    private var lastTime: ContinuousClock.Instant?
    /// Amounts done at moments of the last half minute, for the rate.
    private var samples: [(time: ContinuousClock.Instant, amount: Double)] = []
    private var isInBytes = false

    init(_ output: Output) { self.output = output }

    mutating func show(_ jobs: [JobDocument], bytes: Bytes?, isOver: Bool) async {
        let counts = jobs.compactMap(\.counts)
        let total = counts.reduce(0) { $0 + $1.elements }
        let done = counts.reduce(0) { $0 + $1.done }
        let failed = counts.reduce(0) { $0 + $1.failed }
        let running = counts.reduce(0) { $0 + $1.running }
        var text = (jobs.count == 1 ? "job \(jobs[0].id) " + Printable.line(jobs[0].status) : "\(jobs.count) jobs")
        text += "  \(done)/\(total)"
        if failed > 0 { text += "  \(failed) failed" }
        guard output.isTerminal else {
            if running > 0 { text += "  \(running) running" }
            return await line(text, isOver: isOver)
        }
        let measured = bytes.flatMap { $0.total > 0 ? $0 : nil }
        let amount = measured?.done ?? Double(done)
        let whole = measured?.total ?? Double(total)
        let rate = rate(amount, inBytes: measured != nil)
        if let measured { text += "  \(Human.size(measured.done))/\(Human.size(measured.total))" }
        if let rate, rate > 0 {
            text += measured == nil ? "  \(Int(rate.rounded()))/s" : "  \(Human.size(rate))/s"
            text += "  ETA \(Human.time((whole - amount) / rate))"
        }
        await output.progress(bar(whole > 0 ? amount / whole : 0) + " " + text)
    }

    private mutating func line(_ text: String, isOver: Bool) async {
        let now = clock.now
        guard text != lastLine, !isOver, lastTime.map({ now - $0 >= .seconds(5) }) ?? true else { return }
        lastLine = text
        lastTime = now
        await output.line(text)
    }

    private func bar(_ part: Double) -> String {
        let width = min(24, max(6, output.width / 4))
        let full = Int((min(1, max(0, part)) * Double(width)).rounded(.down))
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: width - full) + "]"
    }

    private mutating func rate(_ amount: Double, inBytes: Bool) -> Double? {
        if inBytes != isInBytes { samples = [] }
        isInBytes = inBytes
        let now = clock.now
        samples.append((now, amount))
        samples.removeAll { now - $0.time > .seconds(30) }
        guard let first = samples.first, now - first.time >= .milliseconds(500) else { return nil }
        return max(0, amount - first.amount) / ((now - first.time) / .seconds(1))
    }
}
