import Foundation
import HaulModel
import Synchronization

/// What a run's credential files hold, looked for in all that its backends tell and in the arguments that they start
/// programs with.
final class CheckSecrets: Sendable {
    private struct State {
        var redactor: Redactor
        var leaks: [String] = []
        var looked: ContinuousClock.Instant?
    }

    private let state: Mutex<State>

    init(_ files: some Sequence<String>) {
        let contents = files.compactMap { FileManager.default.contents(atPath: $0) }
        state = Mutex(State(redactor: Redactor(contents: contents)))
    }

    var isEmpty: Bool { state.withLock { $0.redactor.isEmpty } }

    /// Where one was told, without it.
    var leaks: [String] { state.withLock { $0.leaks } }

    /// The event without secrets: the suite's own words are told to everybody.
    func search(_ event: BackendEvent) -> BackendEvent {
        switch event {
        case .log(let id, let text): return .log(id: id, text: search(text, "a log says"))
        case .result(let id, var result):
            result.reason = result.reason.map { search($0, "a reason says") }
            return .result(id: id, result)
        case .answer(let id, .failed(let failure)):
            let reason = search(failure.reason, "an answer says")
            return .answer(id: id, .failed(BackendFailure(failure.errorClass, reason)))
        case .progress, .entries, .ask, .answer: return event
        }
    }

    /// Looks at the arguments of a process group, which every user of the machine can read; not more often than that it
    /// costs nothing.
    func search(group: Int32) {
        let isDue = state.withLock { state in
            if let looked = state.looked, ContinuousClock.now - looked < .milliseconds(200) { return false }
            state.looked = .now
            return !state.redactor.isEmpty
        }
        guard isDue, let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else { return }
        for id in names.compactMap({ Int32($0) }) where getpgid(id) == group {
            guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            _ = search(words.joined(separator: " "), "a program was started with")
        }
    }

    private func search(_ text: String, _ place: String) -> String {
        state.withLock { state in
            let clean = state.redactor.redact(text)
            if clean != text { state.leaks.append("\(place): \(clean.prefix(300))") }
            return clean
        }
    }
}

/// What nobody may read.
enum CheckCredentials {
    /// Of each kind that the manifest names, one that is wrong: whatever is said of it, its content is not.
    static func wrong(_ site: CheckSite) async throws {
        let kinds = site.target.discovered.manifest.credentials
        if kinds.isEmpty { throw NotApplicable(reason: "the manifest names no credentials") }
        let word = "Wrong-\(UInt64.random(in: 0 ... .max))"
        for kind in kinds {
            for content in ["haul-check:\(word)\n[remote]\ntype = \(word)-line\n", word] {
                let file = site.local("wrong-\(kind)")
                defer { unlink(file) }
                guard
                    FileManager.default.createFile(
                        atPath: file, contents: Data(content.utf8), attributes: [.posixPermissions: 0o600])
                else { throw CheckFailure("\(file) cannot be written") }
                var target = site.target
                target.site.credentials[kind] = file
                let other = CheckSite(target: target, top: site.top, scratch: site.scratch)
                let result = try await other.one(.list, site.target.base, options: ["depth": 0]).result
                if let leak = other.secrets.leaks.first { throw CheckFailure("a wrong \(kind): \(leak)") }
                let fair: [ErrorClass] = [.auth, .credentialExpired, .invalid, .permission]
                if let found = result.errorClass, !fair.contains(found) {
                    throw CheckFailure("a wrong \(kind) is \(found.rawValue): \(result.reason ?? "")")
                }
            }
        }
    }

    /// Over all that was done until now.
    static func untold(_ site: CheckSite) async throws {
        if site.secrets.isEmpty { throw NotApplicable(reason: "the site has no credentials") }
        let leaks = site.secrets.leaks
        if let first = leaks.first { throw CheckFailure("\(leaks.count) times, first: \(first)") }
    }
}
