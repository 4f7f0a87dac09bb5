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

    /// A later version may say more than this one knows, and cancel what is not there or over.
    static func unknownKeys(_ site: CheckSite) async throws {
        let discovered = site.target.discovered
        let more: [String: Any] = ["haul_check": ["of": [1, 2.5, "three", NSNull(), true]]]
        func line(_ command: BackendCommand) throws -> Data {
            guard var object = try JSONSerialization.jsonObject(with: command.line()) as? [String: Any] else {
                throw CheckFailure("a line is no object")
            }
            object.merge(more) { $1 }
            if var source = object["source"] as? [String: Any] {
                source.merge(more) { $1 }
                object["source"] = source
            }
            if var options = object["options"] as? [String: Any] {
                options.merge(more) { $1 }
                object["options"] = options
            }
            return try JSONSerialization.data(withJSONObject: object) + [UInt8(ascii: "\n")]
        }
        let batch = try site.batch(.list, ["depth": 0])
        let child = try await Child.start(
            Command(
                executable: discovered.executable, arguments: discovered.arguments, directory: batch.scratch,
                input: .pipe, output: .pipe, errors: .null, newGroup: true))
        let watch = Task {
            try await Task.sleep(for: .seconds(20))
            await child.stop(grace: .seconds(1))
        }
        defer { watch.cancel() }
        child.input?.post(try line(.batch(batch)))
        child.input?.post(try line(.cancel(id: "nobody")))
        var (splitter, results, sent) = (LineSplitter(limit: BackendLine.longestEntries), [ElementResult](), 0)
        func send() throws {
            sent += 1
            child.input?.post(try line(.element(ElementSpec(id: "u\(sent)", source: site.target.base))))
        }
        try send()
        while let data = await child.output?.read() {
            splitter.add(data)
            while case .line(let text)? = splitter.next() {
                guard case .result(let id, let result) = try BackendLine(line: text), id == "u\(sent)" else { continue }
                results.append(result)
                child.input?.post(try line(.cancel(id: id)))
                if sent == 1 { try send() } else { child.input?.close() }
            }
        }
        let status = await child.wait()
        if let failed = results.first(where: { !$0.isOK && $0.errorClass != .notFound }) {
            throw CheckFailure(
                "with unknown keys a list is \(failed.errorClass?.rawValue ?? ""): \(failed.reason ?? "")")
        }
        guard results.count == 2, status.isSuccess else {
            throw CheckFailure(
                "with unknown keys, and a cancel of nobody, \(results.count) of 2 have a result, and it \(status)")
        }
    }
}
