/// What the command line asks for.
struct BenchOptions {
    enum Verb: String { case register, dispatch, list }

    var verb: Verb
    var url: String
    var tokenFile: String
    var workerTokenFile: String?
    var site: String
    /// What the site is served by, as the bench's worker announces it.
    var protocolName: String
    var jobs: Int
    var batch: Int
    var connections: Int
    var entries: Int
    var asJSON: Bool

    init(_ words: [String]) throws(UsageError) {
        guard let first = words.first, first != "--help", first != "help" else { throw UsageError(message: "") }
        guard let verb = Verb(rawValue: first) else { throw UsageError(message: "there is no bench \"\(first)\"") }
        self.verb = verb
        var values: [String: String] = [:]
        asJSON = words.contains("--json")
        var rest = words.dropFirst().filter { $0 != "--json" }[...]
        let names = [
            "url", "token-file", "worker-token-file", "site", "protocol", "jobs", "batch", "connections", "entries",
        ]
        while let word = rest.popFirst() {
            let name = String(word.dropFirst(2))
            guard word.hasPrefix("--"), names.contains(name) else {
                throw UsageError(message: "\"\(word)\" is not understood")
            }
            guard let value = rest.popFirst() else { throw UsageError(message: "\(word) needs a value") }
            values[name] = value
        }
        func text(_ name: String) throws(UsageError) -> String {
            guard let value = values[name] else { throw UsageError(message: "--\(name) is missing") }
            return value
        }
        func number(_ name: String, _ usual: Int) throws(UsageError) -> Int {
            guard let text = values[name] else { return usual }
            guard let number = Int(text), number > 0 else { throw UsageError(message: "--\(name) takes a number") }
            return number
        }
        url = try text("url")
        tokenFile = try text("token-file")
        site = try text("site")
        protocolName = values["protocol"] ?? "fake"
        workerTokenFile = values["worker-token-file"]
        jobs = try number("jobs", verb == .register ? 20_000 : 4)
        batch = try number("batch", verb == .register ? 1 : 100)
        connections = try number("connections", verb == .register ? 64 : 4)
        entries = try number("entries", verb == .list ? 100_000 : 10_000)
        if verb != .register && workerTokenFile == nil { throw UsageError(message: "--worker-token-file is missing") }
    }
}
