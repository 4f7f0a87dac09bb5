import HaulModel

/// mkdir, rename and remove, each twice.
enum CheckChanges {
    private static let alone: [String: JSONValue] = ["parents": false]

    static func mkdir(_ site: CheckSite) async throws {
        try await site.ok(.mkdir, site.top)
        try await site.ok(.mkdir, site.top)
        try await site.ok(.mkdir, site.path("m/a/b"))
        try await site.ok(.mkdir, site.path("m/c"), options: Self.alone)
        try await site.fails(.exists, .mkdir, site.path("m/c"), options: Self.alone)
        try await site.ok(.mkdir, site.path("m/c"), attempt: 2, options: Self.alone)
        try await site.fails(.notFound, .mkdir, site.path("m/none/d"), options: Self.alone)
        try await CheckCopies.put(site, Array("x".utf8), "m/file")
        try await site.fails(.exists, .mkdir, site.path("m/file"))
        try await site.fails(.exists, .mkdir, site.path("m/file"), attempt: 2)
    }

    static func rename(_ site: CheckSite) async throws {
        try site.declares(.rename)
        try await CheckCopies.put(site, Array("one".utf8), "r/one")
        try await CheckCopies.put(site, Array("second".utf8), "r/two")
        let (one, two, new) = (site.path("r/one"), site.path("r/two"), site.path("r/new/three"))
        try await site.fails(.exists, .rename, one, two)
        try await site.ok(.rename, one, two, options: ["overwrite": "always"])
        try await CheckCopies.expect(site, "r/two", Array("one".utf8))
        try await site.fails(.notFound, .rename, one, two)
        try await site.ok(.rename, one, two, attempt: 2)
        try await site.ok(.rename, two, new)
        try await site.fails(.notFound, .rename, site.path("r/none"), site.path("r/other"))
        try await site.fails(.notFound, .rename, site.path("r/none"), site.path("r/other"), attempt: 2)
        try await site.ok(.rename, site.path("r/new"), site.path("r/moved"))
        try await CheckCopies.expect(site, "r/moved/three", Array("one".utf8))
    }

    static func remove(_ site: CheckSite) async throws {
        try await CheckCopies.put(site, Array("x".utf8), "rm/d/file")
        let (directory, file) = (site.path("rm/d"), site.path("rm/d/file"))
        try await site.fails(.notEmpty, .remove, directory + "/")
        try await site.fails(.invalid, .remove, directory)
        try await site.ok(.remove, file)
        try await site.fails(.notFound, .remove, file)
        try await site.ok(.remove, file, attempt: 2)
        try await site.ok(.remove, directory + "/")
        try await site.fails(.notFound, .remove, directory + "/")
        try await site.ok(.remove, directory + "/", attempt: 2)
    }

    /// Removes all that the run made, as the server would: deepest first.
    static func cleanUp(_ site: CheckSite) async throws {
        let found = try await site.tree(site.top)
        let deepest = found.sorted { ($0.key.utf8.filter { $0 == 47 }.count) > ($1.key.utf8.filter { $0 == 47 }.count) }
        let files = deepest.filter { $0.value.kind != .directory }.map { site.path($0.key) }
        let directories = deepest.filter { $0.value.kind == .directory }.map { site.path($0.key) + "/" }
        let elements = files.enumerated().map { ElementSpec(id: "f\($0.offset)", source: $0.element) }
        try await remove(elements, site)
        // Those of one level at once.
        let levels = Dictionary(grouping: directories + [site.top + "/"]) { $0.utf8.filter { $0 == 47 }.count }
        for (_, level) in levels.sorted(by: { $0.key > $1.key }) {
            let elements = level.enumerated().map { ElementSpec(id: "d\($0.offset)", source: $0.element) }
            try await remove(elements, site)
        }
        try await site.fails(.notFound, .list, site.top)
    }

    /// Removes them, with a second try as any job has it: a service that answers hundreds at once may fail at one.
    private static func remove(_ elements: [ElementSpec], _ site: CheckSite) async throws {
        var left: [ElementSpec] = []
        for (element, answer) in zip(elements, try await site.run(.remove, elements)) where !answer.result.isOK {
            var again = element
            again.attempt += 1
            left.append(again)
        }
        if left.isEmpty { return }
        for answer in try await site.run(.remove, left) where !answer.result.isOK {
            throw CheckFailure("remove: \(answer.result.reason ?? "")")
        }
    }
}
