import Foundation
import HaulPlayground

/// haul on one machine, to look at and to test against.
@main struct HaulPlaygroundProgram {
    static let help = """
        haul-playground: haul with real servers around it, on the loopback interface

        haul-playground run --dir DIR [--workers N]
            Two sshd, two apache2 with WebDAV, hauld and N workers (1), until Ctrl-C or SIGTERM. DIR is empty, or an
            earlier playground's, which goes on. DIR/playground.json says where everything is, once all of it runs.
        haul-playground demo
            What haul does, on real servers, in about a minute; checks every byte, leaves nothing.

        Exit codes: 0 ended as asked, 1 failed, 2 wrong command line.
        """

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "run": exit(await run(Array(words.dropFirst())))
        case "demo" where words.count == 1: exit(await Demo().run())
        case "help", "--help", "-h": print(help)
        default: refuse("run --dir DIR, or demo; --help says more")
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
            case "--workers":
                guard let number = Int(value), (0...64).contains(number) else {
                    refuse("--workers takes a number from 0 to 64, not \(value)")
                }
                workers = number
            default: refuse("\(word) \(value) is not understood")
            }
        }
        guard let directory else { refuse("run: --dir DIR is missing") }
        return await Playground(directory: directory, workers: workers).run()
    }

    private static func refuse(_ message: String) -> Never {
        FileHandle.standardError.write(Data("haul-playground: \(message)\n".utf8))
        exit(2)
    }
}
