import Foundation
import HaulPlayground

/// haul on one machine, to look at and to test against.
@main struct HaulPlaygroundProgram {
    static let help = """
        haul-playground: haul with real servers around it, on the loopback interface

        haul-playground run --dir DIR [--workers N]
            Two sshd, two apache2 with WebDAV, two GridFTP servers, an S3 service (objects in memory), hauld and N
            workers (1), until Ctrl-C or SIGTERM. DIR is empty, or an earlier playground's, which goes on.
            DIR/playground.json says where everything is, once all of it runs.
        haul-playground demo
            What haul does, on real servers, in about a minute; checks every byte, leaves nothing.
        haul-playground with [--workers N] [--postgresql] -- COMMAND [ARGUMENT ...]
            Runs a command beside servers of its own, and ends them with it; HAUL_URL, HAUL_TOKEN_FILE,
            HAUL_WORKER_TOKEN_FILE and HAUL_PLAYGROUND (the file playground.json) say where they are. Its exit code is
            the command's. With --postgresql hauld's database is a PostgreSQL server's, which runs as long.

        Exit codes: 0 ended as asked, 1 failed, 2 wrong command line.
        """

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "run": exit(await run(Array(words.dropFirst())))
        case "with": exit(await with(Array(words.dropFirst())))
        case "demo" where words.count == 1: exit(await Demo().run())
        case "help", "--help", "-h": print(help)
        default: refuse("run --dir DIR, demo, or with -- COMMAND; --help says more")
        }
    }

    private static func run(_ words: [String]) async -> Int32 {
        var directory: String?
        var workers = 1
        var rest = words[...]
        while let word = rest.popFirst() {
            guard let value = rest.popFirst() else { refuse("\(word) needs a value") }
            switch word {
            case "--dir" where !value.isEmpty: directory = value
            case "--workers": workers = number(value)
            default: refuse("\(word) \(value) is not understood")
            }
        }
        guard let directory else { refuse("run: --dir DIR is missing") }
        return await Playground(directory: directory, workers: workers).run()
    }

    private static func with(_ words: [String]) async -> Int32 {
        var words = words[...]
        var workers = 1
        var isOnPostgreSQL = false
        while let word = words.first, word != "--" {
            switch word {
            case "--workers":
                workers = number(words.dropFirst().first ?? "")
                words = words.dropFirst(2)
            case "--postgresql":
                isOnPostgreSQL = true
                words = words.dropFirst()
            default: refuse("with: \(word) is not understood; a command stands after --")
            }
        }
        if words.first == "--" { words = words.dropFirst() }
        guard !words.isEmpty else { refuse("with: which command?") }
        return await Companion(argv: Array(words), workers: workers, isOnPostgreSQL: isOnPostgreSQL).run()
    }

    private static func number(_ text: String) -> Int {
        guard let number = Int(text), (0...64).contains(number) else {
            refuse("--workers takes a number from 0 to 64, not \(text)")
        }
        return number
    }

    private static func refuse(_ message: String) -> Never {
        FileHandle.standardError.write(Data("haul-playground: \(message)\n".utf8))
        exit(2)
    }
}
