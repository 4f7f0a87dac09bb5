import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

@testable import haul_http

/// Questions about many files that become one.
@Suite(.serialized) struct LookoutTests {
    private static let files = 12

    /// What as many as ask at once about files of a directory are told.
    private struct Told: Equatable {
        var nothing = 0
        var file = 0
        var yourself = 0
    }

    private final class Begun: Sendable {
        let count = Mutex(0)
    }

    /// - Parameter there: paths of files that the server has.
    private func ask(_ files: Int, of directory: String, after: Bool = false, there: [String] = []) async throws -> Told
    {
        let bench = try Bench()
        defer { bench.remove() }
        let hostile = try await HostileServer.start(["-c", PuttingServer.script, "claims"])
        let batch = bench.batch(.put, hostile.endpoint)
        let server = Server(
            site: try Site(SiteSpec(site: "site", endpoints: [hostile.endpoint]), scratch: batch.scratch, proxy: nil),
            curl: Curl(batch, name: "http"))
        try bench.write(bench.a + "/f", "content")
        for (index, path) in there.enumerated() {
            let element = ElementSpec(
                id: "\(index)", source: bench.a + "/f", destination: path, size: 7, partSeed: "seed.\(index)")
            let outcome = try await bench.run(batch, [element])
            #expect(outcome.results["\(index)"]?.isOK == true)
        }
        // Long enough for all of them, however slow the machine is.
        let lookout = Lookout(gathering: (.seconds(3), .seconds(3)))
        let begun = Begun()
        let told = try await withThrowingTaskGroup(of: Lookout.Answer.self) { group in
            for index in 0..<files {
                group.addTask {
                    let location = try Location("\(directory)/f\(index)")
                    guard after else { return try await lookout.before(location, server) }
                    return try await lookout.during(server) {
                        begun.count.withLock { $0 += 1 }
                        try await eventually("all have begun") { begun.count.withLock { $0 } == files }
                        return try await lookout.after(location, server)
                    }
                }
            }
            return try await group.reduce(into: Told()) { told, answer in
                switch answer {
                case .found(.nothing): told.nothing += 1
                case .found: told.file += 1
                case .askYourself: told.yourself += 1
                }
            }
        }
        await hostile.stop()
        return told
    }

    @Test func oneListing() async throws {
        let there = ["/d/f0", "/d/f5", "/d/f11", "/d/g"]
        #expect(try await ask(Self.files, of: "/d", there: there) == Told(nothing: Self.files - 3, file: 3))
        // Three in four are enough to begin; the others are too few.
        let after = try await ask(Self.files, of: "/d", after: true, there: there)
        #expect(after.yourself == Self.files / 4 && after.nothing + after.file == Self.files * 3 / 4, "\(after)")
    }

    /// Nothing is in a directory that is not there; after a copy into it, that wants a closer look.
    @Test func aDirectoryThatIsNotThere() async throws {
        #expect(try await ask(Self.files, of: "/new") == Told(nothing: Self.files))
        #expect(try await ask(Self.files, of: "/new", after: true) == Told(yourself: Self.files))
    }

    @Test func fewAskForThemselves() async throws {
        #expect(try await ask(3, of: "/") == Told(yourself: 3))
        #expect(try await ask(3, of: "/", after: true) == Told(yourself: 3))
    }
}
