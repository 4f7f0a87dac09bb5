import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

@testable import haul_xrootd

/// Who gets an xrdfs when, with a stand-in for xrdfs that answers when it is told to.
@Suite(.timeLimit(.minutes(6)))
struct PoolTests {
    /// `stuck` never ends, `hold` does once somebody opens the FIFO `hold`; anything else at once.
    private static let standIn = """
        #!/bin/sh
        cd "${0%/*}"
        while read -r line; do
            echo "> $line"
            case $line in
            haul-*) printf '[ERROR] Command not found\\n' >&2 ;;
            stuck) : <stuck ;;
            hold) until read -r go <hold; do :; done ;;
            esac
        done

        """

    /// A turn that comes to one who is cancelled in that moment is the next one's.
    @Test func aTurnIsNotLost() async throws {
        let folder = try Folder()
        let tool = folder.path + "/xrdfs"
        try Self.standIn.write(toFile: tool, atomically: true, encoding: .utf8)
        chmod(tool, 0o755)
        for fifo in ["stuck", "hold"] { mkfifo("\(folder.path)/\(fifo)", 0o600) }
        let site = try XRootDSite(SiteSpec(site: "s", endpoints: ["127.0.0.1:1"]), scratch: folder.path)
        let pool = XrdfsPool(site, executable: tool, limit: .seconds(100))
        @Sendable func run(_ command: String) async throws { _ = try await pool.run(command) { _ in Bool?.none } }
        // A program that was written just now may be open in a child of this process that has not begun its own.
        try await eventually("the stand-in starts") { (try? await run("quick")) != nil }
        let stuck = (1..<XrdfsPool.most).map { _ in Task { try await run("stuck") } }
        for _ in 0..<20 {
            let holder = Task(priority: .high) {
                do { try await run("hold") } catch {
                    Issue.record("hold: \(error)")
                    throw error
                }
            }
            // It has the last one, once the stand-in reads.
            let hold = try await Self.opened(folder.path + "/hold")
            defer { close(hold) }
            let first = Task(priority: .background) { try await run("quick") }
            try await eventually("the first waits") { await pool.queued == 1 }
            let second = Task { try await run("quick") }
            try await eventually("the second waits") { await pool.queued == 2 }
            // What comes at a low priority has to wait while these are at it.
            let flood = Flood()
            let busy = (0..<8).map { _ in flood.task(pool) }
            #expect(write(hold, "go\n", 3) == 3)
            try await holder.value
            first.cancel()
            flood.end()
            for task in busy { await task.value }
            try await Abandonable.run(limit: .seconds(10)) { try await second.value }
            _ = await first.result
        }
        await pool.close()
        for task in stuck {
            task.cancel()
            _ = await task.result
        }
    }

    /// Keeps the pool busy.
    private final class Flood: Sendable {
        private let isOver = Mutex(false)

        func task(_ pool: XrdfsPool) -> Task<Void, Never> {
            Task(priority: .high) { while !self.isOver.withLock({ $0 }) { _ = await pool.queued } }
        }

        func end() { isOver.withLock { $0 = true } }
    }

    /// For writing, once somebody has it open for reading.
    private static func opened(_ path: String) async throws -> Int32 {
        let descriptor = Mutex<Int32>(-1)
        try await eventually("somebody reads \(path)") {
            let file = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            descriptor.withLock { $0 = file }
            return file >= 0
        }
        return descriptor.withLock { $0 }
    }
}
