import Foundation
import HaulModel

/// The options of the verbs that register jobs, and what they say in a job's document.
enum RegistrationOptions {
    static let all: [OptionSpec] = [
        .number("priority", "0-9", "0 is served first; 5 where none is given"),
        .number("tries", "N", "tries of each element, 1 to 100; 2 where none is given"),
        .value("protocol", "NAME", "the protocol; else that of the site"),
        .value("queue", "NAME", "the queue that the job stands in"),
        .value("label", "TEXT", "your own words for it"),
        .value("deadline", "TIME", "when what has not ended fails: 2026-01-31T12:00Z, or a date"),
        .value("option", short: "o", "NAME=VALUE", "an option of the transfer; VALUE is JSON, or else a string")
            .repeatable(),
        .number("depth", "N", "levels that a listing goes down; all where none is given"),
        .choice("overwrite", ["never", "different", "always"], "what happens to what is there"),
        .choice("verify", ["none", "size", "checksum"], "how a copy is checked"),
        .flag("sync", "copy only what differs, which then gives way"),
        .number("bandwidth", "BYTES/S", "how fast one file may go at most"),
        .choice("symlinks", ["fail", "skip", "follow"], "what a copy does with symbolic links"),
        .value("key", "KEY", "Idempotency-Key: the same again registers nothing new for 24 hours"),
        .flag("wait", short: "w", "wait for the end, with progress; the exit code says how it went"),
        .number("timeout", "SECONDS", "with --wait: how long"),
    ]
    static let confirm = OptionSpec.flag("confirm", "really remove the root of a site")

    /// What a job's document has of these options.
    static func fields(_ arguments: Arguments) throws(CLIError) -> [String: JSONValue] {
        var job: [String: JSONValue] = [:]
        job["priority"] = try arguments.number("priority", in: 0...9).map { .int($0) }
        job["max_tries"] = try arguments.number("tries", in: 1...100).map { .int($0) }
        for name in ["protocol", "queue", "label", "deadline"] { job[name] = arguments[name].map { .string($0) } }
        var options: [String: JSONValue] = [:]
        for text in arguments.all("option") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else { throw .usage("-o: expected NAME=VALUE, found \(text)") }
            options[parts[0]] = scalar(parts[1])
        }
        options["depth"] = try arguments.number("depth", in: 0...1_000_000).map { .int($0) } ?? options["depth"]
        options["bandwidth"] =
            try arguments.number("bandwidth", in: 1024...Int.max).map { .int($0) } ?? options["bandwidth"]
        if arguments.has("sync") { options["sync"] = true }
        for name in ["overwrite", "verify", "symlinks"] {
            if let value = arguments[name] { options[name] = .string(value) }
        }
        if arguments.has("confirm") { options["confirm"] = true }
        if !options.isEmpty { job["extra_opts"] = .object(options) }
        return job
    }

    private static func scalar(_ text: String) -> JSONValue {
        let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        switch value {
        case .null, .bool, .int, .double, .string: return value ?? .string(text)
        case .array, .object, nil: return .string(text)
        }
    }
}
