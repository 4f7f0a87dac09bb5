import Foundation
import HaulModel

/// What a copy promises on every protocol, beyond that the bytes arrive.
enum CheckPromises {
    private static let past = Date(timeIntervalSince1970: 1_000_000_000)

    /// A file's time comes with it.
    static func times(_ site: CheckSite) async throws {
        let file = site.local("times")
        try write("timed", file, at: past)
        try await site.ok(.put, file, site.path("times/file"))
        guard let entry = try await site.tree(site.path("times"))["file"] else {
            throw CheckFailure("it is not listed")
        }
        guard entry.modified == Int(past.timeIntervalSince1970) else {
            throw NotApplicable(reason: "a put file has a time of its own, not that of its source")
        }
        if site.target.discovered.manifest.operations[.copy] != nil {
            try await site.ok(.copy, site.path("times/file"), site.path("times/copy"))
            guard try await site.tree(site.path("times"))["copy"]?.modified == entry.modified else {
                throw CheckFailure("a copy has another time")
            }
        }
        let back = site.local("times-back")
        try? FileManager.default.removeItem(atPath: back)
        defer { try? FileManager.default.removeItem(atPath: back) }
        try await site.ok(.get, site.path("times/file"), back)
        var status = stat()
        guard stat(back, &status) == 0, status.st_mtim.tv_sec == Int(past.timeIntervalSince1970) else {
            throw CheckFailure("what comes back has another time")
        }
    }

    /// A file's permissions come with it.
    static func permissions(_ site: CheckSite) async throws {
        let modes = [0o640, 0o700].map { (mode: $0, name: String($0, radix: 8)) }
        for (mode, name) in modes {
            try write("permitted", site.local("mode-\(name)"), at: past)
            chmod(site.local("mode-\(name)"), mode_t(mode))
        }
        defer { for (_, name) in modes { for end in ["", "-back"] { unlink(site.local("mode-\(name)\(end)")) } } }
        func all(
            _ operation: ProtocolOperation, _ source: (String) -> String, _ destination: (String) -> String
        ) async throws {
            let elements = modes.map {
                ElementSpec(id: $0.name, source: source($0.name), destination: destination($0.name))
            }
            for answer in try await site.run(operation, elements) where !answer.result.isOK {
                throw CheckFailure("\(operation.rawValue): \(answer.result.reason ?? "")")
            }
        }
        let hasCopy = site.target.discovered.manifest.operations[.copy] != nil
        let there: (String) -> String = { site.path("permitted/\($0)") }
        try await all(.put, { site.local("mode-\($0)") }, there)
        if hasCopy { try await all(.copy, there, { site.path("permitted/copy-\($0)") }) }
        try await all(.get, there, { site.local("mode-\($0)-back") })
        let found = try await site.tree(site.path("permitted"))
        for (mode, name) in modes {
            guard let entry = found[name] else { throw CheckFailure("it is not listed") }
            guard entry.mode & 0o777 == mode else {
                throw NotApplicable(reason: "a put file has permissions of its own, not those of its source")
            }
            if hasCopy, (found["copy-\(name)"]?.mode ?? 0) & 0o777 != mode {
                throw CheckFailure("a copy has other permissions")
            }
            var status = stat()
            guard stat(site.local("mode-\(name)-back"), &status) == 0, Int(status.st_mode) & 0o777 == mode else {
                throw CheckFailure("what comes back has other permissions")
            }
        }
    }

    /// Every checksum that may be asked for is the content's, whoever computes it, in put and get as in copy.
    static func checksums(_ site: CheckSite) async throws {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let file = site.local("sums")
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        for algorithm in StreamHash.Algorithm.allCases {
            let hash = try StreamHash(algorithm)
            hash.update(bytes)
            let sum = hash.finish()
            let options: [String: JSONValue] = [
                "verify": "checksum", "checksum_algorithm": .string(algorithm.rawValue),
            ]
            let (name, back) = (site.path("sums/\(algorithm.rawValue)"), site.local("sums-back"))
            let wrong =
                algorithm.rawValue + ":" + String(repeating: "0", count: sum.utf8.count - algorithm.rawValue.count - 1)
            defer { for path in [back, back + "-promised"] { unlink(path) } }
            let put = try await site.run(
                .put,
                [
                    ElementSpec(id: "p", source: file, destination: name),
                    ElementSpec(id: "w", source: file, destination: name + "-wrong", checksum: wrong),
                ], options)
            let get = try await site.run(.get, [ElementSpec(id: "g", source: name, destination: back)], options)
            // Of what the element itself has to have.
            let promised = try await site.run(
                .get,
                [
                    ElementSpec(id: "r", source: name, destination: back + "-promised", checksum: sum),
                    ElementSpec(id: "w", source: name, destination: back + "-wrong", checksum: wrong),
                ])
            for answer in [put[0], get[0]] where answer.result.checksum != sum {
                throw CheckFailure(
                    "the checksum is \(answer.result.checksum ?? answer.result.reason ?? "missing"), not \(sum)")
            }
            if !promised[0].result.isOK { throw CheckFailure("\(sum): \(promised[0].result.reason ?? "")") }
            for answer in [put[1], promised[1]] where answer.result.errorClass != .checksum {
                throw CheckFailure("\(wrong) is \(answer.result.errorClass?.rawValue ?? "ok"), not checksum")
            }
            if FileManager.default.fileExists(atPath: back + "-wrong") {
                throw CheckFailure("what has a wrong checksum stands under its final name")
            }
        }
        let left = try await site.tree(site.path("sums")).keys.filter {
            $0.hasSuffix("-wrong") || $0.contains(PartFile.prefix)
        }
        if !left.isEmpty { throw CheckFailure("\(left.sorted()) were left behind") }
    }

    private static func write(_ text: String, _ file: String, at date: Date) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
    }
}
