import Foundation
import HaulConfig
import HaulModel
import HaulProtocol

extension Verb {
    static let protocols = Verb(
        name: "protocol", summary: "list the protocols that run here, or check one against a server",
        operands: "list | check [NAME] --against URL", count: 1...2, completes: .words(["list", "check"]),
        options: [
            .value("against", "URL", "check: SCHEME://HOST:PORT/DIRECTORY, a directory that may be written"),
            .value("option", short: "o", "NAME=VALUE", "check: an option of the site").repeatable(),
            .value("setting", "NAME=VALUE", "check: a setting of the worker's side; VALUE is JSON, or else a string")
                .repeatable(),
            .value("credential", "KIND=FILE", "check: a file (0600) that holds a credential").repeatable(),
            .file(
                "disk", "check: the directory of this machine that URL means; what no protocol can make is made there"),
            .value("large", "BYTES", "check: how long the file is whose transfer is cut off (1073741824)"),
            .file("protocols", "the folder of protocols; else ./protocols, or the one installed with haul"),
        ],
        notes: [
            "Without NAME, check takes the protocol of the URL's scheme; with it, the scheme has to be one of that "
                + "protocol's `schemes`.",
            "check runs the conformance suite of protocols/README.md and exits 1 where a case fails. It makes a directory of "
                + "its own below URL and removes it.",
        ], isRemote: false
    ) { invocation in
        let operands = invocation.arguments.operands
        let catalog = await ProtocolVerb.scan(try ProtocolVerb.folder(invocation.arguments["protocols"]))
        switch (operands[0], operands.count) {
        case ("list", 1): return await ProtocolVerb.list(catalog, invocation)
        case ("check", _):
            return try await ProtocolVerb.check(operands.dropFirst().first, catalog, invocation)
        default: throw CLIError.usage("expected list, or check [NAME] --against URL")
        }
    }
}

/// What `haul protocol` does.
enum ProtocolVerb {
    /// Where `make install` puts protocols, as seen from the program.
    private static let installed = ProtocolCatalog.besideExecutable + "/../share/haul/protocols"

    /// The folder that was named, else the one of where it is typed, else the one that was installed.
    static func folder(_ named: String?) throws(CLIError) -> String {
        let folders = named.map { [$0] } ?? ["protocols", URL(filePath: installed).standardized.path]
        var isFolder: ObjCBool = false
        for folder in folders
        where FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) && isFolder.boolValue {
            return folder
        }
        throw CLIError(
            code: .notFound, message: "no folder of protocols: \(folders.joined(separator: ", "))",
            hint: "--protocols FOLDER names one, such as protocols/ of haul's sources")
    }

    /// Reads the disk, on a queue for that.
    static func scan(_ folder: String) async -> ProtocolCatalog {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "haul.protocols").async {
                continuation.resume(returning: ProtocolCatalog.scan([folder]))
            }
        }
    }

    static func list(_ catalog: ProtocolCatalog, _ invocation: Invocation) async -> ExitCode {
        let columns = ["NAME", "OPERATIONS", "SUMMARY"].map { Table.Column(title: $0, isPath: $0 == "SUMMARY") }
        var table = Table(columns, on: invocation.output)
        for one in catalog.usable {
            let operations = one.manifest.operations.keys.map(\.rawValue).sorted().joined(separator: ",")
            await table.add([one.manifest.name, operations, one.manifest.summary])
        }
        await table.flush()
        for problem in catalog.unusable { await invocation.errors.line(Printable.line("cannot run here: \(problem)")) }
        return .ok
    }

    static func check(
        _ name: String?, _ catalog: ProtocolCatalog, _ invocation: Invocation
    ) async throws -> ExitCode {
        let named = try name.map { try find($0, in: catalog) }
        guard let text = invocation.arguments["against"] else { throw CLIError.usage("--against URL is missing") }
        let (scheme, endpoints, base) = try place(text)
        let discovered = try named ?? serving(scheme, in: catalog)
        guard discovered.manifest.serves(scheme: scheme) else {
            let other = catalog.serving(scheme: scheme).map { "; it is one of the protocol \($0.manifest.name)" }
            throw CLIError.usage(
                "--against: \(scheme) is no scheme of the protocol \(discovered.manifest.name)" + (other ?? ""),
                hint: "its protocol.json names: " + discovered.manifest.knownSchemes.joined(separator: ", "))
        }
        let site = SiteSpec(
            site: "check", endpoints: endpoints, options: try pairs("option", invocation),
            credentials: try pairs("credential", invocation).compactMapValues(\.string))
        let local = FileManager.default.temporaryDirectory.appending(path: "haul-check-" + UUID().uuidString).path
        try PrivateFolder.make(local)
        defer { try? FileManager.default.removeItem(atPath: local) }
        let target = CheckTarget(
            discovered: discovered, site: site, settings: try pairs("setting", invocation), base: base,
            disk: invocation.arguments["disk"], local: local, resumeBytes: try large(invocation))
        let (cases, report) = AsyncStream.makeStream(of: CheckCase.self)
        async let outcomes = {
            defer { report.finish() }
            return try await ProtocolCheck(target).run { report.yield($0) }
        }()
        for await one in cases { await invocation.output.line(Printable.line("\(one)")) }
        let all = try await outcomes
        if all.first?.name == ProtocolCheck.reaching {
            throw CLIError(
                code: .jobFailed, message: "nothing else was tried", hint: missing(target))
        }
        let failed = all.count { $0.hasFailed }
        if failed > 0 { await invocation.errors.line("haul: \(failed) cases fail") }
        return failed == 0 ? .ok : .jobFailed
    }

    private static func large(_ invocation: Invocation) throws(CLIError) -> Int {
        guard let text = invocation.arguments["large"] else { return CheckTarget.usualResumeBytes }
        guard let bytes = Int(text), (16 << 20...1 << 40).contains(bytes) else {
            throw CLIError.usage("--large takes bytes, from 16777216 on")
        }
        return bytes
    }

    /// What a manifest knows and the command line does not say.
    private static func missing(_ target: CheckTarget) -> String? {
        let manifest = target.discovered.manifest
        func left(_ option: String, _ known: [HaulModel.OptionSpec], _ given: [String: JSONValue]) -> [String] {
            known.filter { given[$0.name] == nil }.map {
                "--\(option) \($0.name)=..." + ($0.summary.isEmpty ? "" : " (\($0.summary))")
            }
        }
        let credentials = manifest.credentials.filter { target.site.credentials[$0] == nil }
        let words =
            left("setting", manifest.settings, target.settings)
            + left("option", manifest.siteOptions, target.site.options) + credentials.map { "--credential \($0)=FILE" }
        return words.isEmpty ? nil : "not given, and known to \(manifest.name): " + words.joined(separator: ", ")
    }

    private static func find(_ name: String, in catalog: ProtocolCatalog) throws(CLIError) -> DiscoveredProtocol {
        if let found = catalog[name] { return found }
        let reason = catalog.unusable.first { $0.name == name || $0.folder.hasSuffix("/\(name)") }
        throw CLIError(
            code: .notFound, message: reason.map { "\($0)" } ?? "there is no protocol \(name)",
            hint: "haul protocol list, with --protocols FOLDER")
    }

    private static func serving(
        _ scheme: String, in catalog: ProtocolCatalog
    ) throws(CLIError) -> DiscoveredProtocol {
        if let found = catalog.serving(scheme: scheme) { return found }
        throw CLIError(
            code: .notFound, message: "no protocol that runs here has the scheme \(scheme)",
            hint: "haul protocol list, with --protocols FOLDER")
    }

    /// `SCHEME://HOST:PORT/DIRECTORY` as a scheme, endpoints (none without a host) and a path.
    static func place(_ text: String) throws(CLIError) -> (scheme: String, endpoints: [String], base: String) {
        guard let mark = text.range(of: "://"), mark.lowerBound != text.startIndex else {
            throw .usage("--against: expected SCHEME://HOST:PORT/DIRECTORY, found \(text)")
        }
        let rest = text[mark.upperBound...]
        let host = rest.prefix { $0 != "/" }
        guard !host.contains("@") else {
            throw .usage("--against: credentials go into files", hint: "see --credential")
        }
        let path = String(rest.dropFirst(host.count))
        guard let base = (path.isEmpty ? "/" : path).removingPercentEncoding else {
            throw .usage("--against: a broken escape in \(path)")
        }
        return (String(text[..<mark.lowerBound]), host.isEmpty ? [] : [String(host)], base)
    }

    private static func pairs(_ option: String, _ invocation: Invocation) throws(CLIError) -> [String: JSONValue] {
        var pairs: [String: JSONValue] = [:]
        for text in invocation.arguments.all(option) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw .usage("--\(option): expected NAME=VALUE, found \(text)")
            }
            // Lists are written as JSON; a credential's value is always a path.
            let value =
                option == "credential" ? nil : try? JSONDecoder().decode(JSONValue.self, from: Data(parts[1].utf8))
            pairs[parts[0]] = value ?? .string(parts[1])
        }
        return pairs
    }
}
