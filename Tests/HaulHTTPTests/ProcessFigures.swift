import Foundation

/// What the kernel says of this process (proc(5)).
enum ProcessFigures {
    /// Threads that live now.
    static var threads: Int { field("Threads:") }

    /// Resident memory in bytes.
    static var memory: Int { field("VmRSS:") * 1024 }

    /// Open descriptors.
    static var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    private static func field(_ name: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
    }
}
