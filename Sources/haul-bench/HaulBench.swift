import Foundation
import HaulHTTP

/// Measures a running server: parse, run, print.
@main struct HaulBench {
    static let help = """
        haul-bench: measures a running hauld

        haul-bench register --url URL --token-file FILE --site SITE [--jobs N] [--batch N] [--connections N]
            Registers N LIST jobs (20000), `batch` a request (1), over so many connections (64).
        haul-bench dispatch ... --worker-token-file FILE [--jobs N] [--entries N] [--batch N] [--connections N]
            Registers N COPY jobs (4) of so many files (10000), then claims and reports their elements, `batch` at a time
            (100), over so many connections (4), as a worker to which each succeeds at once.
        haul-bench list ... --worker-token-file FILE [--entries N] [--connections N]
            Sends the listing of a COPY up, N files (100000), over one connection, and waits until all of its elements are
            there. The connections (4) are those of the raw limit.

        Use a site that no worker serves; --protocol (fake) is its protocol. Each prints a table, with --json a line of JSON,
        and beside the figure the raw limit of the same run: the requests that the server answers when it has nothing to do.
        """

    static func main() async {
        do {
            let options = try BenchOptions(Array(CommandLine.arguments.dropFirst()))
            let target = try Target(options)
            let figures =
                switch options.verb {
                case .register: try await RegisterBench(target, options).run()
                case .dispatch: try await DispatchBench(target, options).run()
                case .list: try await ListBench(target, options).run()
                }
            await target.client.close()
            print(options.asJSON ? figures.json : figures.table)
        } catch let error as UsageError {
            if error.message.isEmpty { return print(help) }
            leave(2, "\(error.message)\nTry 'haul-bench --help'.")
        } catch {
            leave(1, "\(error)")
        }
    }

    private static func leave(_ code: Int32, _ message: String) -> Never {
        FileHandle.standardError.write(Data("haul-bench: \(message)\n".utf8))
        exit(code)
    }
}

/// A command line that can't be understood; an empty message asks for the help.
struct UsageError: Error {
    var message: String
}
