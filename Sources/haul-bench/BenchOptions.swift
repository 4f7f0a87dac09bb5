/// What the command line asks for.
struct BenchOptions {
    enum Verb: String { case register, dispatch, latency, list, start, steady, data, worker }

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
    /// Elements that wait while a figure is taken; nil: none but those of the bench itself.
    var waiting: Int?
    var seconds: Int
    /// Jobs/s that a steady load registers.
    var rate: Int
    /// Elements that go through before a steady load: they fill the server's caches.
    var warmUp: Int
    /// The sites that data is copied between.
    var from: String
    var to: String
    /// Bytes of each file that is copied.
    var size: Int
    /// How often each way of copying is tried.
    var rounds: Int
    /// `playground.json`: where the server's process is, and how to start it again.
    var playground: String?
    var asJSON: Bool

    private static let names = [
        "url", "token-file", "worker-token-file", "site", "protocol", "jobs", "batch", "connections", "entries",
        "waiting", "seconds", "rate", "warm-up", "playground", "from", "to", "size", "rounds",
    ]

    init(_ words: [String]) throws(UsageError) {
        guard let first = words.first, first != "--help", first != "help" else { throw UsageError(message: "") }
        guard let verb = Verb(rawValue: first) else { throw UsageError(message: "there is no bench \"\(first)\"") }
        self.verb = verb
        asJSON = words.contains("--json")
        let values = try Self.values(words.dropFirst().filter { $0 != "--json" })
        func text(_ name: String) throws(UsageError) -> String {
            guard let value = values[name] else { throw UsageError(message: "--\(name) is missing") }
            return value
        }
        func number(_ name: String) throws(UsageError) -> Int? {
            guard let text = values[name] else { return nil }
            guard let number = Int(text), number > 0 else { throw UsageError(message: "--\(name) takes a number") }
            return number
        }
        url = try text("url")
        tokenFile = try text("token-file")
        site = verb == .data ? "" : try text("site")
        from = verb == .data ? try text("from") : ""
        to = verb == .data ? try text("to") : ""
        protocolName = values["protocol"] ?? "fake"
        workerTokenFile = values["worker-token-file"]
        playground = values["playground"]
        let usual = Usual(verb)
        jobs = try number("jobs") ?? usual.jobs
        batch = try number("batch") ?? usual.batch
        connections = try number("connections") ?? usual.connections
        entries = try number("entries") ?? usual.entries
        waiting = try number("waiting") ?? (verb == .start ? 1_000_000 : nil)
        seconds = try number("seconds") ?? 60
        rate = try number("rate") ?? 500
        warmUp = try number("warm-up") ?? 400_000
        size = try number("size") ?? 4096
        rounds = try number("rounds") ?? 3
        if ![.register, .data, .worker].contains(verb), workerTokenFile == nil {
            throw UsageError(message: "--worker-token-file is missing")
        }
        if [.start, .data, .worker].contains(verb), playground == nil {
            throw UsageError(message: "--playground is missing")
        }
    }

    /// Reads `--name value`.
    private static func values(_ words: [String]) throws(UsageError) -> [String: String] {
        var values: [String: String] = [:]
        var rest = words[...]
        while let word = rest.popFirst() {
            let name = String(word.dropFirst(2))
            guard word.hasPrefix("--"), names.contains(name) else {
                throw UsageError(message: "\"\(word)\" is not understood")
            }
            guard let value = rest.popFirst() else { throw UsageError(message: "\(word) needs a value") }
            values[name] = value
        }
        return values
    }

    /// What counts where the command line says nothing.
    private struct Usual {
        var jobs = 4
        var batch = 100
        var connections = 4
        var entries = 10_000

        init(_ verb: Verb) {
            switch verb {
            case .register: (jobs, batch, connections) = (20_000, 1, 64)
            case .latency: jobs = 2_000
            case .list: entries = 100_000
            case .dispatch, .start, .steady, .data, .worker: break
            }
        }
    }
}
