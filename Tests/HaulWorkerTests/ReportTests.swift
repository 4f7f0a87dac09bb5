import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import HaulWire
import HaulWorker
import Support
import Testing

/// Outcomes, and the pieces of logs and listings, on bad lines.
@Suite(.timeLimit(.minutes(6))) struct ReportTests {
    @Test func groupsOutcomes() async throws {
        let bench = try Bench()
        // While the first report has no answer, the others gather.
        bench.server.change { script in
            script.settle = { _, number in number <= 5 ? TestServer.problem(503, "not now") : nil }
        }
        bench.server.hand(Claims.job(1, (0..<100).map { "/ok/\($0)" }))
        try await eventually("all are reported") { Set(bench.server.outcomes.map(\.elementID)).count == 100 }
        #expect(bench.server.record.reports.count < 20)
        #expect(bench.server.record.paths.filter { $0 == "/results" }.count == bench.server.record.reports.count)
        #expect(await bench.close() == .drained)
        #expect(bench.server.record.beats.last?.holding == [])
    }

    @Test func repeatsAReportWhoseAnswerIsLostByteForByte() async throws {
        let bench = try Bench()
        bench.server.change { $0.settle = { _, number in number <= 3 ? TestServer.lost : nil } }
        bench.server.hand(Claims.job(1, ["/fail/not_found"]))
        try await eventually("the report was repeated") { bench.server.record.reports.count == 4 }
        #expect(Set(bench.server.record.reports).count == 1)
        try await eventually("nothing is held") { bench.server.record.beats.last?.holding == [] }
        #expect(bench.server.outcome(1)?.errorClass == "not_found")
        await bench.close()
        #expect(bench.server.record.reports.count == 4)
    }

    @Test func dropsTheItemsThatAreRefused() async throws {
        let bench = try Bench()
        bench.server.change { script in
            script.settle = { body, _ in
                TestServer.json(
                    ResultsReply(
                        results: body.results.map {
                            .init(status: $0.elementID % 2 == 0 ? 409 : 200, detail: "the lease has ended")
                        }))
            }
        }
        bench.server.hand(Claims.job(1, (0..<10).map { "/ok/\($0)" }))
        try await eventually("all are reported") { bench.server.outcomes.count >= 10 }
        try await eventually("nothing is held") { bench.server.record.beats.last?.holding == [] }
        await bench.close()
        #expect(bench.server.outcomes.count == 10)
        #expect(bench.logged("outcome-dropped").count == 5)
    }

    @Test func repeatsTheItemsThatWereNotTakenAlone() async throws {
        let bench = try Bench()
        bench.server.change { script in
            script.settle = { body, number in
                TestServer.json(
                    ResultsReply(
                        results: body.results.map { .init(status: number == 1 && $0.elementID >= 0 ? 500 : 200) }))
            }
        }
        bench.server.hand(Claims.job(1, ["/ok"]))
        try await eventually("it came again") { bench.server.record.reports.count == 2 }
        #expect(await bench.close() == .drained)
        #expect(bench.server.outcomes.count == 2)
    }

    /// A report that is refused as a whole is split: one bad outcome takes no others with it.
    @Test func splitsAReportThatIsRefused() async throws {
        let bench = try Bench()
        bench.server.change { script in
            script.settle = { body, number in
                if number == 1 { return TestServer.problem(503, "later") }
                let isBad = body.results.contains { $0.elementID == 3 }
                return isBad ? TestServer.problem(400, "element 3 cannot be read") : nil
            }
        }
        bench.server.hand(Claims.job(1, (0..<8).map { "/ok/\($0)" }))
        // What was told before the first report was answered says nothing of it.
        try await eventually("nothing is held") {
            !bench.logged("outcome-dropped").isEmpty && bench.server.record.beats.last?.holding == []
        }
        #expect(Set(bench.server.outcomes.map(\.elementID)).count == 8)
        #expect(bench.logged("outcome-dropped").count == 1)
        await bench.close()
    }

    /// What the server will not take as it is, is over for the server nonetheless, and at once.
    @Test func saysTheLeastOfAnOutcomeThatIsRefused() async throws {
        let bench = try Bench()
        bench.server.change { script in
            script.settle = { body, _ in
                TestServer.json(
                    ResultsReply(
                        results: body.results.map {
                            $0.outcome.host.isEmpty
                                ? .init(status: 200) : .init(status: 400, detail: "reason: must be a text\u{7} é")
                        }))
            }
        }
        bench.server.hand(
            Claims.job(1, ["/fail/not_found", "/ok"]), Claims.job(2, ["/tree/3"], type: .list, to: nil))
        try await eventually("nothing is held") {
            bench.server.outcomes.count == 6 && bench.server.record.beats.last?.holding == []
        }
        let last = Dictionary(
            bench.server.outcomes.map { ("\($0.jobID).\($0.elementID)", $0.outcome) }, uniquingKeysWith: { $1 })
        let why = "the server refused the full outcome: 400 reason: must be a text\u{7} é"
        #expect(last["1.0"]?.returncode == 1 && last["1.0"]?.errorClass == "not_found" && last["1.0"]?.reason == why)
        // What was done stays done; a LIST is not, without its listing.
        #expect(last["1.1"]?.returncode == 0 && last["1.1"]?.log == why + "\n" && last["1.1"]?.reason == nil)
        #expect(last["2.0"]?.returncode == 1 && last["2.0"]?.errorClass == "unknown")
        #expect(bench.logged("outcome-refused").count == 3 && bench.logged("outcome-dropped").isEmpty)
        await bench.close()
        #expect(bench.server.outcomes.count == 6)
    }

    /// The least is said once: after that the server has to wait for the lease's end.
    @Test func doesNotInsist() async throws {
        let bench = try Bench()
        bench.server.change { $0.settle = { _, _ in TestServer.problem(400, "no") } }
        bench.server.hand(Claims.job(1, ["/ok"]))
        try await eventually("it was dropped") { !bench.logged("outcome-dropped").isEmpty }
        await bench.close()
        #expect(bench.server.outcomes.count == 2)
    }

    @Test func goesOnAtTheServersOffset() async throws {
        let bench = try Bench()
        // The first piece of the listing is kept, its answer lost: its repetition starts where the server no longer is.
        let server = bench.server
        bench.server.change { script in
            script.piece = { key, offset, bytes in
                guard key == "listing 1.0", server.record.pieces[key] == nil else { return nil }
                server.keep(key, Array(bytes.prefix(bytes.count / 2)))
                return TestServer.lost
            }
        }
        bench.server.hand(Claims.job(1, ["/tree/20000"], type: .list, to: nil))
        try await eventually("the outcome") { bench.server.outcome(1) != nil }
        #expect(bench.server.outcome(1)?.returncode == 0)
        let text = String(decoding: bench.server.record.pieces["listing 1.0"] ?? [], as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 20_040 && Set(lines).count == 20_040)
        await bench.close()
    }

    /// An offset from which nothing can be mended costs a try, and no more.
    @Test func failsWhatIsOutOfStep() async throws {
        let bench = try Bench()
        bench.server.change { script in
            script.piece = { key, _, _ in key == "listing 1.0" ? TestServer.wrongOffset(1 << 40) : nil }
        }
        bench.server.hand(Claims.job(1, ["/tree/100"], type: .list, to: nil))
        try await eventually("the outcome") { bench.server.outcome(1) != nil }
        #expect(bench.server.outcome(1)?.errorClass == "interrupted")
        await bench.close()
    }

    @Test func streamsAListingInBoundedMemory() async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server)
        server.hand(Claims.job(1, ["/tree/1"], type: .list, to: nil))
        try await eventually("the small one") { server.outcome(1) != nil }
        let before = Processes.peak(program.child.pid)
        server.hand(Claims.job(2, ["/tree/200000"], type: .list, to: nil))
        try await eventually("the big one", within: .seconds(90)) { server.outcome(2) != nil }
        let grown = Processes.peak(program.child.pid) - before
        #expect(server.outcome(2)?.returncode == 0)
        let bytes = server.record.pieces["listing 2.0"] ?? []
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 200_400)
        #expect(bytes.count > 12 << 20)
        #expect(before > 0 && grown < 24 << 20, "grew by \(grown) bytes")
        await program.close()
        await server.stop()
    }

    @Test func sendsTheLogOfWhatRunsLongAsItGrows() async throws {
        let bench = try Bench()
        bench.server.hand(Claims.job(1, ["/sleep/600"]))
        try await eventually("a piece of the log") {
            String(decoding: bench.server.record.pieces["log 1.0"] ?? [], as: UTF8.self).contains("fake: /sleep/600")
        }
        bench.server.change { $0.stop = ["1.0.1"] }
        try await eventually("the outcome") { bench.server.outcome(1) != nil }
        let log = bench.server.log(1)
        #expect(log.hasPrefix("20") && log.contains("COPY fake-1:/sleep/600 -> fake-2:/d0"))
        #expect(log.contains("failed interrupted: cancelled by its user"))
        await bench.close()
    }
}
