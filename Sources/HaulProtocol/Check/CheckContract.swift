import Foundation
import HaulModel

/// The wire contract itself, for any backend.
enum CheckContract {
    static func otherVersion(_ site: CheckSite) async throws {
        let discovered = site.target.discovered
        let child = try await Child.start(
            Command(
                executable: discovered.executable, arguments: discovered.arguments, directory: site.scratch,
                input: .pipe, output: .null, errors: .null, newGroup: true))
        child.input?.post(Data("{\"type\":\"batch\",\"version\":99}\n".utf8))
        guard let status = await child.wait(atMost: .seconds(10)) else {
            await child.stop(grace: .seconds(1))
            throw CheckFailure("the backend waits after a batch of version 99")
        }
        if status.isSuccess { throw CheckFailure("the backend exits with 0 after a batch of version 99") }
    }

    static func emptyBatch(_ site: CheckSite) async throws {
        guard let operation = site.target.discovered.manifest.operations.keys.first else { return }
        let began = ContinuousClock.now
        _ = try await site.run(operation, [])
        if ContinuousClock.now - began > .seconds(5) { throw CheckFailure("took more than 5 s to end") }
    }

    /// Why nothing of what follows could go well - a setting is missing, the site can't be reached, or lets nobody in - or
    /// nil.
    static func obstacle(_ site: CheckSite) async throws -> String? {
        let base = site.target.base
        let answer = try await site.one(.list, base, options: ["depth": 0])
        let inVain: [ErrorClass] = [.invalid, .permission, .auth, .credentialExpired, .connect]
        guard let found = answer.result.errorClass, inVain.contains(found) else { return nil }
        return "list \(base): \(found.rawValue): \(answer.result.reason ?? "")"
    }

    /// Most of them fail, each by itself.
    static func manyElements(_ site: CheckSite) async throws {
        let elements = (0..<200).map { ElementSpec(id: "n\($0)", source: "\(site.top)/not-there-\($0)") }
        let answers = try await site.run(.list, elements)
        if site.target.keepsData, let odd = answers.first(where: { $0.result.errorClass != .notFound }) {
            throw CheckFailure("a missing path is \(odd.result.errorClass?.rawValue ?? "ok"), not not_found")
        }
    }
}
