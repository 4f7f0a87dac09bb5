import Foundation
import HaulModel

/// Registers the jobs of a file in groups, each with a key of its own made from the invocation's: the same file under
/// the same key again registers only what is missing.
struct BulkRegistrar {
    /// The server's limit, and a body that it takes.
    private static let groupCount = 10_000
    private static let groupBytes = 4 << 20

    let invocation: Invocation
    let type: JobType
    let fields: [String: JSONValue]
    let key: String
    private var body: [UInt8] = []
    /// The line of each job of the group.
    private var lines: [Int] = []
    private var group = 0
    private var registered = 0

    init(_ invocation: Invocation, type: JobType) throws(CLIError) {
        self.invocation = invocation
        self.type = type
        fields = try RegistrationOptions.fields(invocation.arguments)
        key = invocation.arguments["key"] ?? UUID().uuidString
    }

    mutating func run(_ path: String) async throws -> ExitCode {
        let file = try LineFile(path)
        var number = 0
        while let text = try await file.next() {
            number += 1
            let trimmed = text.trimmingCharacters(in: .whitespaces)
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            let job: [UInt8]
            do {
                job = Array(try Registrar.encode(try document(trimmed)))
            } catch let error as CLIError {
                throw CLIError.usage("\(path):\(number): \(error.message)", hint: error.hint ?? again)
            }
            if lines.count == Self.groupCount || body.count + job.count > Self.groupBytes { try await send(path) }
            body += job + [0x0A]
            lines.append(number)
        }
        try await send(path)
        if invocation.output.isTerminal { await invocation.output.line("\(registered) jobs are registered") }
        return .ok
    }

    /// `SRC DST` (a tab between them where a path has blanks), or a job's document.
    private func document(_ line: String) throws -> [String: JSONValue] {
        var job = fields
        job["type"] = .int(type.rawValue)
        if line.hasPrefix("{") {
            guard let given = try? JSONDecoder().decode([String: JSONValue].self, from: Data(line.utf8)) else {
                throw CLIError.usage("this is no JSON object")
            }
            return job.merging(given) { _, given in given }
        }
        let parts = line.split(separator: line.contains("\t") ? "\t" : " ").map(String.init)
        guard parts.count == 2 else {
            throw CLIError.usage("expected SITE:PATH SITE:PATH", hint: "paths with blanks: put a tab between the two")
        }
        let (source, destination) = (try Place(parts[0]), try Place(parts[1]))
        job["src_siteid"] = source.siteValue
        job["src_filepath"] = .string(source.path)
        job["dst_siteid"] = destination.siteValue
        job["dst_filepath"] = .string(destination.path)
        return job
    }

    private mutating func send(_ path: String) async throws {
        guard !lines.isEmpty else { return }
        group += 1
        do {
            let answer = try await invocation.server().post(
                "/jobs", body, type: "application/x-ndjson", key: "\(key)-\(group)")
            let ids = try ServerConnection.decode([Int].self, answer)
            registered += ids.count
            if !invocation.output.isTerminal || invocation.isJSON {
                await invocation.output.text(ids.map { "\($0)\n" }.joined())
            }
        } catch var error as CLIError {
            let wrong = error.index.flatMap { lines.indices.contains($0) ? lines[$0] : nil }
            let place = wrong.map { "\(path):\($0)" } ?? "\(path), lines \(lines[0]) to \(lines[lines.count - 1])"
            error.message = "\(place): \(error.message)"
            error.hint = [error.hint, again].compactMap { $0 }.joined(separator: "; ")
            throw error
        }
        body = []
        lines = []
    }

    private var again: String? {
        registered == 0 ? nil : "\(registered) jobs before it are registered; repeat with --key \(key) to go on"
    }
}
