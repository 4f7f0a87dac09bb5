import Foundation
import HaulModel

/// What is there already, or lacks its directory, where a get or a copy comes to.
enum CheckExisting {
    private static let (old, new, equal) = (Data("old".utf8), Data("newer".utf8), Data("NEWER".utf8))

    static func getAndCopy(_ site: CheckSite) async throws {
        let folder = site.local("existing")
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The same at both places: files, and a directory.
        for name in ["here/none", "there/dir"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let files = [
            ("old", old), ("new", new), ("there/same", old), ("there/other", old), ("there/different", old),
            ("there/always", equal), ("there/sync", old), ("there/dir/file", old),
        ]
        for (name, content) in files { try content.write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
        let elements = files.map {
            ElementSpec(id: $0.0, source: "\(folder)/\($0.0)", destination: site.path("x/\($0.0)"))
        }
        for answer in try await site.run(.put, elements) where !answer.result.isOK {
            throw CheckFailure("put: \(answer.result.reason ?? "")")
        }
        for (operation, to) in [(.get, folder + "/there"), (.copy, site.path("x/there"))]
            as [(ProtocolOperation, String)]
        {
            guard site.target.discovered.manifest.operations[operation] != nil else { continue }
            do { try await run(site, operation, to) } catch let failure as CheckFailure {
                throw CheckFailure("\(operation.rawValue): \(failure)")
            }
        }
        try await site.noParts(site.path("x"))
        let left = FileManager.default.subpaths(atPath: folder) ?? []
        if left.contains(where: { $0.contains(PartFile.prefix) }) { throw CheckFailure("get: a part was left behind") }
        // What the copies made is what the gets made.
        guard site.target.discovered.manifest.operations[.copy] != nil else { return }
        let made = left.filter { $0.hasPrefix("there/") }.map { String($0.dropFirst("there/".count)) }
        let back = made.map {
            ElementSpec(id: $0, source: site.path("x/there/\($0)"), destination: "\(folder)/here/\($0)")
        }
        for (name, answer) in zip(made, try await site.run(.get, back)) where answer.result.errorClass != .invalid {
            if FileManager.default.contents(atPath: "\(folder)/here/\(name)")
                != FileManager.default.contents(atPath: "\(folder)/there/\(name)")
            {
                throw CheckFailure("copy: \(name) holds something else, or nothing: \(answer.result.reason ?? "")")
            }
        }
    }

    private static func run(_ site: CheckSite, _ operation: ProtocolOperation, _ to: String) async throws {
        func expect(
            _ options: [String: JSONValue], attempt: Int = 1, _ expected: [(String, String, ErrorClass?, moves: Int)]
        ) async throws {
            let elements = expected.map {
                ElementSpec(
                    id: $0.1, source: site.path("x/\($0.0)"), destination: "\(to)/\($0.1)", attempt: attempt,
                    partSeed: "existing.\($0.1)")
            }
            for (wanted, answer) in zip(expected, try await site.run(operation, elements, options)) {
                let (result, what) = (answer.result, "\(wanted.0) to \(wanted.1) with \(options)")
                guard result.errorClass == wanted.2 else {
                    let found = "\(result.errorClass?.rawValue ?? "ok") (\(result.reason ?? ""))"
                    throw CheckFailure("\(what): \(found), not \(wanted.2?.rawValue ?? "ok")")
                }
                if result.isOK, result.transferred != wanted.moves {
                    throw CheckFailure("\(what): \(result.transferred) bytes went, not \(wanted.moves)")
                }
            }
        }
        try await expect(
            ["verify": "none", "parents": false],
            [("new", "file", nil, 5), ("new", "missing/file", .notFound, 0)])
        try await expect(
            [:],
            [
                ("old", "same", nil, 0), ("new", "other", .exists, 0), ("new", "dir", .exists, 0),
                ("new", "none/there/file", nil, 5),
            ])
        try await expect([:], attempt: 2, [("new", "file", nil, 0), ("new", "other", .exists, 0)])
        try await expect(
            ["overwrite": "different"],
            [("new", "different", nil, 5), ("old", "same", nil, 0), ("new", "dir", .exists, 0)])
        try await expect(["overwrite": "always"], [("new", "always", nil, 5), ("new", "dir", .exists, 0)])
        // What was copied just now is equal.
        try await expect(["sync": true], [("new", "sync", nil, 5), ("new", "different", nil, 0)])
    }
}
