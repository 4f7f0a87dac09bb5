import Foundation

/// The processes of a stack by the mark in their environment, and by what parts are started with, so that also those are
/// found that somebody started again from `playground.json`.
struct Leftovers: Sendable {
    /// What every part of the stack has in its environment.
    static let variable = "HAUL_PLAYGROUND"

    /// The stack's folder.
    let folder: String
    /// The parts that it has.
    var parts: [PartCommand] = []

    /// Those that run now, without this process. Reads `/proc`.
    func pids() -> [Int32] {
        let mark = Array("\(Self.variable)=\(folder)".utf8)
        return PartCommand.processes().filter { pid in
            let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
            return data.split(separator: 0).contains { $0.elementsEqual(mark) } || parts.contains { $0.isRun(by: pid) }
        }
    }

    /// Ends them: SIGTERM, then SIGKILL for what is left after `grace`.
    /// - Returns: those that even that did not end.
    @discardableResult
    func end(grace: Duration = .seconds(2)) async -> [Int32] {
        for pid in pids() { kill(pid, SIGTERM) }
        if await Readiness.holds(within: grace, { pids().isEmpty }) { return [] }
        for pid in pids() { kill(pid, SIGKILL) }
        _ = await Readiness.holds(within: .seconds(5)) { pids().isEmpty }
        return pids()
    }
}
