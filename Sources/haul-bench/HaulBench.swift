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
            --waiting W: twice, N rounds of so many files each: out of no more than these, and while W wait.
        haul-bench latency ... --worker-token-file FILE [--jobs N] [--connections N]
            Registers N MKDIR jobs (2000), one after the other, while so many workers (4) wait for them, and takes the
            time from the registration to the job's being in a worker's hands.
        haul-bench list ... --worker-token-file FILE [--entries N] [--playground FILE]
            Sends the listing of a COPY up, N files (100000), over one connection, and waits until all of its elements are
            there, while others register and look at jobs.
        haul-bench start ... --worker-token-file FILE --playground FILE [--waiting W]
            Lets W elements wait (1000000), kills the server, and takes the time from its start to its first answer.
        haul-bench steady ... --worker-token-file FILE [--seconds S] [--rate R] [--warm-up N] [--connections N]
                              [--playground FILE]
            For so long (60) registers R jobs/s (500), and claims and reports them as they come; before, claims and reports
            N elements (400000) as fast as the server goes.
        haul-bench data --url URL --token-file FILE --playground FILE --from SITE --to SITE [--entries N] [--size BYTES]
                        [--rounds R]
            Copies N files (10000) of so many bytes (4096) from one site of the playground to another, R times (3) through
            haul and R times with each bare tool that does the same, by turns.
        haul-bench worker --url URL --token-file FILE --playground FILE --site SITE [--entries N]
            Copies N files (10000) at a site that moves nothing, and takes what its one worker used of processor and memory.

        But for the last two: use a site that no worker serves; --protocol (fake) is its protocol. --playground names the playground.json that
        says which process the server is: its memory is then shown too. Each prints a table, with --json a line of JSON,
        and beside the figure the raw limit of the same run: the requests that the server answers when it has nothing to do,
        or what SQLite does with nothing around it.
        """

    static func main() async {
        do {
            let options = try BenchOptions(Array(CommandLine.arguments.dropFirst()))
            let target = try Target(options)
            let figures =
                switch options.verb {
                case .register: try await RegisterBench(target, options).run()
                case .dispatch: try await DispatchBench(target, options).run()
                case .latency: try await LatencyBench(target, options).run()
                case .list: try await ListBench(target, options).run()
                case .start: try await StartBench(target, options).run()
                case .steady: try await SteadyBench(target, options).run()
                case .data: try await DataBench(target, options).run()
                case .worker: try await WorkerBench(target, options).run()
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
