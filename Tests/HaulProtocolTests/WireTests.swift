import Foundation
import HaulModel
import HaulProtocol
import Testing

struct WireTests {
    @Test func linesComeBackAsTheyWere() throws {
        let nasty = "a\u{0}b\n\r\u{2028}\"\\é\u{301}🚚"
        let lines: [BackendLine] = [
            .log(id: nasty, text: nasty),
            .progress(id: "1", TransferProgress(transferred: 5, total: nil, elapsed: 1, instant: 2, average: 3)),
            .entries(
                id: "1", directory: nasty,
                [ListingEntry(name: "n\u{2028}\"\\", size: 1 << 60, mode: 0o100600, modified: -5)]),
            .entries(id: "1", directory: "/", []),
            .result(
                id: "1",
                ElementResult(errorClass: .noSpace, reason: nasty, returncode: 3, transferred: 9, checksum: "md5:0")),
            .result(id: "1", ElementResult(transferred: 9)),
        ]
        for line in lines {
            let data = line.line()
            #expect(data.filter { $0 == 10 }.count == 1 && data.last == 10)
            #expect(try BackendLine(line: data.dropLast()) == line)
        }
        let element = ElementSpec(id: nasty, source: nasty, destination: nil, size: 4, attempt: 2, last: true)
        let batch = BatchSpec(
            operation: .copy, options: ["a": [1, "x"]], source: SiteSpec(site: "s"), scratch: "/s", spool: "/t",
            hosts: HostList(["a.example.org", "*.b:1", "[::1]"]))
        for command in [BackendCommand.batch(batch), .element(element), .cancel(id: nasty)] {
            #expect(try BackendCommand(line: command.line().dropLast()) == command)
        }
    }

    /// Absent is any host; what names none is refused, not passed over.
    @Test func hosts() throws {
        func line(_ hosts: String) -> Data {
            Data(
                (#"{"type":"batch","version":1,"operation":"list","options":{},"source":{"site":"s","endpoints":[],"#
                    + #""options":{},"credentials":{}},"settings":{},"timeout":1,"scratch":"/s","spool":"/t","#
                    + #""spool_bytes":1,"concurrency":1\#(hosts)}"#).utf8)
        }
        guard case .batch(let any) = try BackendCommand(line: line("")),
            case .batch(let listed) = try BackendCommand(line: line(#","hosts":["a"]"#)),
            case .batch(let nobody) = try BackendCommand(line: line(#","hosts":[]"#))
        else { throw WireError("no batch") }
        let told = String(decoding: try BackendCommand.batch(any).line(), as: UTF8.self)
        #expect(any.hosts == nil && !told.contains("hosts"))
        #expect(listed.hosts == HostList(["a"]) && nobody.hosts?.admits("a") == false)
        #expect(throws: WireError.self) { try BackendCommand(line: line(#","hosts":["http://a"]"#)) }
    }

    @Test func infiniteRatesBecomeZero() throws {
        let progress = TransferProgress(transferred: 1, elapsed: 0, instant: .infinity, average: .nan)
        let line = BackendLine.progress(id: "1", progress).line()
        #expect(String(decoding: line, as: UTF8.self).contains("\"instant\":0"))
    }

    @Test(arguments: [
        "", "null", "7", "{}", "[]", #"{"type":"log"}"#, #"{"type":"log","id":1,"text":"x"}"#,
        #"{"type":"fly","id":"1"}"#,
        #"{"type":"progress","id":"1","transferred":-1}"#, #"{"type":"progress","id":"1","transferred":1e99}"#,
        #"{"type":"result","id":"1"}"#, #"{"type":"result","id":"1","outcome":"maybe"}"#,
        #"{"type":"entries","id":"1","directory":"/","entries":[{"name":""}]}"#,
        #"{"type":"entries","id":"1","directory":"/","entries":[{"name":"a/b"}]}"#,
        #"{"type":"entries","id":"1","directory":"/","entries":[{"name":".."}]}"#,
        #"{"type":"log","id":"1","text":"x"} trailing"#, "\u{feff}{", String(repeating: "[", count: 100_000),
    ])
    func refuses(_ text: String) {
        #expect(throws: WireError.self) { try BackendLine(line: Data(text.utf8)) }
        #expect(throws: WireError.self) { try BackendCommand(line: Data(text.utf8)) }
    }

    /// Bytes are what counts, and an emoji of many code points is none that a reason is long enough for.
    @Test func cutsLongTextsByBytes() throws {
        let long = String(repeating: "👩‍👩‍👧‍👧é", count: 1000)
        let sent = ElementResult(errorClass: .unknown, reason: long, returncode: 1, checksum: "x" + long)
        guard case .result(_, let result) = try BackendLine(line: BackendLine.result(id: "1", sent).line().dropLast())
        else { throw WireError("no result") }
        for (text, limit) in [(result.reason, 4096), (result.checksum, 256)] {
            let text = try #require(text)
            #expect((limit - 3...limit).contains(text.utf8.count))
        }
        #expect(long.unicodeScalars.starts(with: result.reason?.unicodeScalars ?? "".unicodeScalars))
    }

    @Test func anUnknownClassIsUnknown() throws {
        let line = #"{"type":"result","id":"1","outcome":"failed","class":"from_the_future"}"#
        #expect(
            try BackendLine(line: Data(line.utf8))
                == .result(id: "1", ElementResult(errorClass: .unknown, returncode: 1)))
    }

    /// Numbers are what they are, to the last one that fits.
    @Test func numbers() throws {
        func transferred(_ text: String) throws -> Int? {
            let line = #"{"type":"progress","id":"1","transferred":\#(text)}"#
            guard case .progress(_, let progress) = try BackendLine(line: Data(line.utf8)) else { return nil }
            return progress.transferred
        }
        #expect(try transferred("999999999999999999") == 999_999_999_999_999_999)
        #expect(try transferred("9223372036854775807") == .max && transferred("-0") == 0 && transferred("1e3") == 1000)
        #expect(throws: WireError.self) { try transferred("9223372036854775808") }
        #expect(throws: WireError.self) { try transferred("-1") }
    }
}
