import Foundation

/// What this machine's processors have done, all programs together.
struct Processors {
    /// Seconds of all of them since the machine started; not those in which they waited.
    let busy: Double

    static var count: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// As /proc/stat tells it (proc(5)): user, nice, system, idle, iowait, irq, softirq.
    static func now() throws -> Processors {
        let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
        let fields =
            text.split(separator: "\n").first?.split(separator: " ").dropFirst().compactMap { Double($0) } ?? []
        guard fields.count >= 7 else { throw BenchError(message: "/proc/stat does not tell the processors' times") }
        let ticks = fields[0] + fields[1] + fields[2] + fields[5] + fields[6]
        return Processors(busy: ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
    }
}

/// What one run took.
struct Spent {
    var seconds: Double
    /// Of all processors together.
    var busy: Double

    static func on(_ body: () async throws -> Double) async throws -> Spent {
        let before = try Processors.now()
        let seconds = try await body()
        return Spent(seconds: seconds, busy: try Processors.now().busy - before.busy)
    }
}

extension [Spent] {
    /// The one in the middle, of each by itself.
    var median: Spent {
        Spent(
            seconds: map(\.seconds).sorted()[count / 2], busy: map(\.busy).sorted()[count / 2])
    }
}
