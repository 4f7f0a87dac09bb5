import Foundation
import HaulModel
import Synchronization

/// A large file, and transfers that are ended in their middle.
enum CheckFaults {
    private static let blocking = BlockingQueue(label: "haul.check.files")

    static func large(_ site: CheckSite) async throws {
        try await make(site)
        try await site.ok(.put, site.local("large"), site.path("large/file"))
        try await compare(site)
        if site.target.discovered.manifest.operations[.copy] != nil {
            let answer = try await site.ok(.copy, site.path("large/file"), site.path("large/copy"))
            if answer.result.transferred != site.target.largeBytes {
                throw CheckFailure("the copy says that \(answer.result.transferred) bytes went")
            }
            let sizes = try await site.tree(site.path("large")).values.map(\.size)
            if sizes != [site.target.largeBytes, site.target.largeBytes] { throw CheckFailure("sizes are \(sizes)") }
        }
        try await site.noParts(site.path("large"))
    }

    static func cancel(_ site: CheckSite) async throws {
        let (file, destination) = (site.local("large"), site.path("cancel/file"))
        try await make(site)
        try await site.ok(.mkdir, site.path("cancel"))
        let element = ElementSpec(id: "c", source: file, destination: destination, last: true)
        let began = Mutex<ContinuousClock.Instant?>(nil)
        let answer = try await site.run(.put, [element]) { event, run in
            guard case .progress = event else { return }
            began.withLock { $0 = $0 ?? .now }
            await run.cancel("c")
        }[0]
        let took = began.withLock { $0 }.map { ContinuousClock.now - $0 } ?? .zero
        if took > .seconds(5) { throw CheckFailure("a cancelled transfer took \(took) to end") }
        let left = try await site.tree(site.path("cancel"))
        if answer.result.isOK {
            // It was through before it heard: then it is whole.
            if left["file"]?.size != site.target.largeBytes { throw CheckFailure("it is ok, but not whole") }
        } else if answer.result.errorClass != .interrupted {
            throw CheckFailure("a cancelled transfer is \(answer.result.errorClass?.rawValue ?? "")")
        } else if !left.isEmpty {
            throw CheckFailure("a cancelled transfer leaves \(left.keys.sorted())")
        }
    }

    static func kill(_ site: CheckSite) async throws {
        let (file, destination) = (site.local("large"), site.path("kill/file"))
        try await make(site)
        try await site.ok(.mkdir, site.path("kill"))
        var element = ElementSpec(id: "k", source: file, destination: destination, partSeed: "kill")
        let answer = try await site.run(.put, [element]) { event, run in
            if case .progress = event { Foundation.kill(-run.pid, SIGKILL) }
        }[0]
        if !answer.result.isOK, answer.result.errorClass != .backend {
            throw CheckFailure("a killed backend's element is \(answer.result.errorClass?.rawValue ?? "")")
        }
        if !answer.result.isOK, try await site.tree(site.path("kill")).keys.contains("file") {
            throw CheckFailure("a partial file stands under the final name")
        }
        element.attempt = 2
        element.last = true
        let second = try await site.run(.put, [element])[0]
        guard second.result.isOK else { throw CheckFailure("the next attempt: \(second.result.reason ?? "")") }
        try await compare(site, "kill/file")
        try await site.noParts(site.path("kill"))
    }

    private static func make(_ site: CheckSite) async throws {
        let (path, bytes) = (site.local("large"), site.target.largeBytes)
        var status = stat()
        if stat(path, &status) == 0, Int(status.st_size) == bytes { return }
        try await CheckContent.write(path, bytes: bytes)
    }

    private static func compare(_ site: CheckSite, _ name: String = "large/file") async throws {
        let back = site.local("large-back")
        try? FileManager.default.removeItem(atPath: back)
        defer { try? FileManager.default.removeItem(atPath: back) }
        try await site.ok(.get, site.path(name), back)
        let same = try await blocking.run {
            FileManager.default.contentsEqual(atPath: back, andPath: site.local("large"))
        }
        if !same { throw CheckFailure("what comes back differs from what was put") }
    }
}
