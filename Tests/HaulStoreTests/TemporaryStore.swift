import Foundation
import HaulModel
import HaulStore
import Support
import Testing

/// A store in a folder of its own, which goes with it; or in a database of its own, as ``TestDatabase`` says.
final class TemporaryStore: Sendable {
    let folder: String
    let location: StoreLocation
    let store: Store

    init() async throws {
        folder = try Self.makeFolder()
        location = StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite"))
        store = try Store(at: location, readers: 2) { Issue.record("fsync failed: \($0)") }
    }

    static func makeFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "haul-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A job as the engine registers it.
    static func job(user: Int, type: JobType = .list, priority: Int = 5, site: Int = 1) -> Job {
        Job(
            id: 0, userID: user, queue: "default", type: type, protocolName: .ssh, status: .submitted,
            source: .init(siteID: site, path: "/s"),
            destination: type.hasDestination ? .init(siteID: 2, path: "/d") : nil, options: ["depth": 1],
            priority: priority, maxTries: 2, label: nil,
            logUID: String(UUID().uuidString.filter { $0 != "-" }.lowercased()),
            registered: now, changed: now, counts: StatusCounts())
    }

    static func firstElement(of job: Job) -> Element {
        Element(
            jobID: 0, id: 0, type: job.type.firstElement, phase: .ready, sourcePath: job.source.path, maxTries: 2,
            changed: now)
    }

    static let now = Timestamp(milliseconds: 1_700_000_000_000)

    /// Registers a job of a user, who is made.
    func register(
        _ type: JobType = .list, user: String = "alice", priority: Int = 5, site: Int = 1
    ) async throws -> Job {
        try await store.write { writer in
            let user = try writer.user(named: user, now: Self.now)
            let job = Self.job(user: user.id, type: type, priority: priority, site: site)
            return try #require(try writer.insertJobs([job], first: Self.firstElement).first)
        }
    }
}
