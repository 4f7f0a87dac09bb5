import HaulModel

extension Verb {
    static let list = Verb(
        name: "list", summary: "list a directory or a file", operands: "SITE:PATH", count: 1...1,
        options: RegistrationOptions.all,
        notes: [
            "With --wait it prints what was found, all below SITE:PATH; --depth 1 goes one level down, 0 is the path alone."
        ]
    ) { invocation in
        try await Registrar.run(.list, invocation, source: try Place(invocation.arguments.operands[0]))
    }

    static let remove = Verb(
        name: "remove", summary: "remove a file, or a directory with all in it", operands: "SITE:PATH", count: 1...1,
        options: RegistrationOptions.all + [RegistrationOptions.confirm]
    ) { invocation in
        try await Registrar.run(.remove, invocation, source: try Place(invocation.arguments.operands[0]))
    }

    static let mkdir = Verb(
        name: "mkdir", summary: "make a directory", operands: "SITE:PATH", count: 1...1,
        options: RegistrationOptions.all
    ) { invocation in
        try await Registrar.run(.mkdir, invocation, source: try Place(invocation.arguments.operands[0]))
    }

    static let rename = Verb(
        name: "rename", summary: "rename within a site", operands: "SITE:PATH NEW-PATH", count: 2...2,
        options: RegistrationOptions.all, notes: ["NEW-PATH may have the same SITE: in front of it."]
    ) { invocation in
        let source = try Place(invocation.arguments.operands[0])
        let given = invocation.arguments.operands[1]
        // A colon within a path is no site's: only the source's own site is taken off.
        let target = given.hasPrefix(source.site + ":") ? given : source.site + ":" + given
        return try await Registrar.run(.rename, invocation, source: source, destination: try Place(target))
    }

    static let copy = Verb(
        name: "copy", summary: "copy a file or a tree", operands: "SITE:PATH SITE:PATH | --from FILE", count: 0...2,
        options: [.file("from", "register a job for each line of FILE (- is standard input)")]
            + RegistrationOptions.all,
        notes: [
            "A line of FILE is SITE:PATH SITE:PATH (with a tab between, where a path has blanks) or a job's document as "
                + "JSON; empty lines and lines that start with # are skipped. The ids are printed in order."
        ]
    ) { invocation in
        let operands = invocation.arguments.operands
        if let path = invocation.arguments["from"] {
            guard operands.isEmpty, !invocation.arguments.has("wait") else {
                throw CLIError.usage("--from goes with neither SITE:PATH nor --wait", hint: "haul wait takes many ids")
            }
            var bulk = try BulkRegistrar(invocation, type: .copy)
            return try await bulk.run(path)
        }
        guard operands.count == 2 else {
            throw CLIError.usage("expected a source and a destination", hint: "haul copy SITE:PATH SITE:PATH")
        }
        return try await Registrar.run(
            .copy, invocation, source: try Place(operands[0]), destination: try Place(operands[1]))
    }
}
