import Foundation
import HaulModel
import HaulWire

/// Registers one job, and waits for it where that is wanted.
enum Registrar {
    static func run(
        _ type: JobType, _ invocation: Invocation, source: Place, destination: Place? = nil
    ) async throws -> ExitCode {
        var job = try RegistrationOptions.fields(invocation.arguments)
        job["src_siteid"] = source.siteValue
        job["src_filepath"] = .string(source.path)
        if let destination {
            if type == .copy { job["dst_siteid"] = destination.siteValue }
            job["dst_filepath"] = .string(destination.path)
        }
        let key = invocation.arguments["key"] ?? UUID().uuidString
        let timeout = try invocation.arguments.seconds("timeout")
        let server = try await invocation.server()
        let answer = try await server.post(
            "/" + type.name.lowercased(), Array(try encode(job)), type: "application/json", key: key)
        let document = try ServerConnection.decode(JobDocument.self, answer)
        for warning in document.warnings ?? [] { await invocation.errors.line(Printable.line("warning: \(warning)")) }
        guard invocation.arguments.has("wait") else {
            await show(document, answer, invocation)
            return .ok
        }
        let code = try await JobWaiter(invocation, jobs: [document.id], timeout: timeout).run()
        if code == .ok, type == .list, !invocation.isJSON {
            try await OutputVerb.printListing(invocation, job: document.id)
        }
        return code
    }

    private static func show(_ job: JobDocument, _ answer: [UInt8], _ invocation: Invocation) async {
        if invocation.isJSON {
            await invocation.output.bytes(answer + [0x0A])
        } else if invocation.output.isTerminal {
            await invocation.output.line("job \(job.id) is registered; haul wait \(job.id) follows it")
        } else {
            await invocation.output.line("\(job.id)")
        }
    }

    static func encode(_ job: [String: JSONValue]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return try encoder.encode(job)
    }
}
