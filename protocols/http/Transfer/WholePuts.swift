import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// Whether a server shows what a PUT brings only once all of it is there, and leaves what was there before where it is
/// cut off. Then a small file needs no part that is renamed.
///
/// Two things must come together: the server says of the directory that apache's mod_dav_fs keeps it, which writes to a
/// file beside it and renames (or the site's operator says that the server does so), and one PUT that is cut off in its
/// middle shows it. A proxy that takes bodies whole would show the same of any server behind it.
final class WholePuts: Sendable {
    enum Belief: String, Sendable {
        case detect, `try`, never
    }

    private enum Verdict {
        /// So many files would have had a use for it.
        case unknown(asked: Int)
        case testing
        case whole
        case not
    }

    private struct State {
        var verdict = Verdict.unknown(asked: 0)
        /// What the server says of directories, by their encoded paths.
        var claims: [String: Task<Bool?, Never>] = [:]
        var known: [String: Bool] = [:]
    }

    /// Files before which a test is not worth its requests.
    private static let worthwhile = 8
    private static let mostDirectories = 10_000
    private static let claim = "<http://apache.org/dav/propset/fs/1>"
    /// More than a server has in its hands before it opens a file, and than is ever sent this way.
    private static let tested = (sent: 192 << 10, of: 256 << 10)
    /// How long a server may take to ask for the body.
    private static let patience = Duration.seconds(2)

    private let state = Mutex(State())

    /// Whether it is known by now that files in a directory may be written so.
    func areKnown(in directory: Location) -> Bool {
        state.withLock { state in
            guard case .whole = state.verdict else { return false }
            return state.known[directory.encoded] ?? false
        }
    }

    /// Whether files in a directory, which is there, may be written under their final names. Tests the server where that
    /// is not known and enough files have asked; those that ask meanwhile do not wait.
    /// - Parameter name: Of a file in that directory which nobody else has, for the test.
    func are(in directory: Location, at server: Server, testing name: () throws -> String) async throws -> Bool {
        let belief = server.site.wholePuts
        guard belief != .never, !server.isPlain else { return false }
        let isTester: Bool? = state.withLock { state in
            switch state.verdict {
            case .whole: return false
            case .not, .testing: return nil
            case .unknown(let asked) where asked < Self.worthwhile:
                state.verdict = .unknown(asked: asked + 1)
                return nil
            case .unknown:
                state.verdict = .testing
                return true
            }
        }
        guard let isTester else { return false }
        var verdict = Verdict.unknown(asked: Self.worthwhile)
        defer { if isTester { state.withLock { $0.verdict = verdict } } }
        let isClaimed = belief == .try ? true : await says(directory, server)
        guard isTester else { return isClaimed }
        try Task.checkCancellation()
        // Another directory may be kept by something else.
        guard isClaimed else { return false }
        let isWhole = try await test(directory.child(try name().utf8), server)
        verdict = isWhole ? .whole : .not
        return isWhole
    }

    /// A file did not arrive as it was sent: nothing is believed any more.
    func forget() { state.withLock { $0.verdict = .not } }

    /// Whether the server says that mod_dav_fs keeps the directory; asked once.
    private func says(_ directory: Location, _ server: Server) async -> Bool {
        let key = directory.encoded
        let task: Task<Bool?, Never>? = state.withLock { state in
            if state.known[key] != nil { return nil }
            if let task = state.claims[key] { return task }
            // Not of one element's task: its cancellation must not answer for its neighbours.
            let task = Task {
                let request = server.request(.options, directory, directory: true)
                guard let answer = try? await server.curl.metadata.perform(request), answer.isSuccess else {
                    return Bool?.none
                }
                return answer.headers.first?.contains(Self.claim) ?? false
            }
            state.claims[key] = task
            return task
        }
        guard let task else { return state.withLock { $0.known[key] ?? false } }
        let answer = await task.value
        state.withLock { state in
            state.claims[key] = nil
            guard let answer else { return }
            if state.known.count >= Self.mostDirectories { state.known = [:] }
            state.known[key] = answer
        }
        return answer ?? false
    }

    /// Overwrites a file of one byte with a body that is cut off in the middle: the byte must stay, while it comes and
    /// after. And a PUT that must not overwrite must not.
    private func test(_ location: Location, _ server: Server) async throws -> Bool {
        let first = try await server.curl.data.perform(server.request(.put(), location, body: .bytes(Data([0x31]))))
        guard first.isSuccess else { return false }
        do {
            let isWhole = try await isKept(location, server)
            await Self.discard(location, server)
            return isWhole
        } catch {
            await Self.discard(location, server)
            throw error
        }
    }

    private func isKept(_ location: Location, _ server: Server) async throws -> Bool {
        let refused = try await server.curl.data.perform(
            server.request(.put(onlyIfMissing: true), location, body: .bytes(Data([0x32, 0x32]))))
        guard refused.status == 412, try await size(location, server) == 1 else { return false }
        let halt = CurlHalt(sending: Self.tested.sent, of: Self.tested.of)
        let meanwhile = try await withThrowingTaskGroup(of: Int??.self) { group in
            group.addTask {
                // It never ends well: whatever the server answers to half a body, it has not waited for the rest.
                _ = try? await server.curl.data.perform(server.request(.put(), location, body: .halting(halt)))
                halt.end()
                return .some(nil)
            }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                return .some(nil)
            }
            group.addTask {
                guard await halt.wait() else { return .some(nil) }
                return .some(try await self.size(location, server))
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        // The request is off the server's hands by now, in its middle.
        guard let meanwhile, meanwhile == 1 else { return false }
        return try await size(location, server) == 1
    }

    private func size(_ location: Location, _ server: Server) async throws -> Int? {
        guard case .file(let facts) = try await server.glance(location) else { return nil }
        return facts.size
    }

    /// In a task of its own: what cancels the element must not keep the file.
    private static func discard(_ location: Location, _ server: Server) async {
        await Task { try? await Abandonable.run(limit: .seconds(3)) { try await server.delete(location) } }.value
    }
}
