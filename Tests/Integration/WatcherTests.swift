import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// What many watchers cost the server, which serves nobody else meanwhile: its memory and threads are counted.
@Suite(.server(), .timeLimit(.minutes(6))) struct WatcherTests {
    /// A thousand watchers: no thread and little memory for each, all of them told.
    @Test func aThousandWatchers() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let id = try await person.mkdir("/d")
        // What the first thousand requests of any kind cost is no watcher's.
        await withTaskGroup { group in
            for _ in 0..<1000 { group.addTask { _ = try? await person.user.get("/jobs/\(id)") } }
        }
        let threads = {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.process?.pid ?? 0)/task").count
        }
        let (memory, before) = (server.memory, try threads())
        let watchers = (0..<1000).map { _ in StreamReader() }
        let tasks = watchers.map { $0.follow("/jobs/\(id)/events", person.user) }
        try await eventually("all watch", within: .seconds(60)) { watchers.allSatisfy { $0.events.count == 1 } }
        // Half of it is the room that each connection has for the head of a request.
        #expect(server.memory - memory < 1000 * 64 << 10, "\((server.memory - memory) >> 20) MiB")
        // Those of Dispatch's own come and go, 64 at most.
        let after = try threads()
        #expect(after - before < 64, "\(before) threads became \(after)")
        #expect(try await person.user.send("DELETE", "/jobs/\(id)").status == 200)
        for task in tasks { try await task.value }
        #expect(watchers.allSatisfy { $0.events.last?.data["status"] == "CANCELLED" })
    }
}
