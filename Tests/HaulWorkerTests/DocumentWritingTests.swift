import Foundation
import HaulModel
import HaulWire
import Testing

/// Documents that write themselves say what their `Encodable` says, byte for byte.
@Suite struct DocumentWritingTests {
    private func expectSame(_ document: some JSONWritable & Encodable) throws {
        var writer = JSONWriter()
        document.write(to: &writer)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let expected = String(decoding: try encoder.encode(document), as: UTF8.self)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    private static func job(_ type: JobType, label: String? = nil, isKept: Bool = false) -> Job {
        var job = Job(
            id: 7, userID: 1, queue: "nights \"x\"", type: type, protocolName: .ssh, status: .submitted,
            source: .init(siteID: 1, path: "/a/ü\n"),
            destination: type.hasDestination ? .init(siteID: 2, path: "/b\\") : nil,
            options: ["verify": "size", "depth": 2, "b": ["x": [1, .null, 1.5]]], priority: 3, maxTries: 2,
            label: label,
            deadline: label == nil ? nil : Timestamp(milliseconds: 1), logUID: "0f",
            registered: Timestamp(milliseconds: 0),
            changed: Timestamp(milliseconds: 1_332_336_900_000), counts: StatusCounts())
        job.isKept = isKept
        job.counts.done = 4
        return job
    }

    @Test func jobs() throws {
        var task = Self.job(.task)
        task.source = .nowhere
        task.draft = JobDraft(document: ["task": "a\u{0}\"\n"])
        for job in [Self.job(.list), Self.job(.copy, label: "l"), Self.job(.rename, isKept: true), task] {
            for withCounts in [true, false] { try expectSame(JobDocument(job, withCounts: withCounts)) }
        }
    }

    @Test func claims() throws {
        let site = Site(id: 2, name: "s", protocolName: .ssh, endpoints: ["a:22", "b:22"], options: ["k": true])
        let element = Element(
            jobID: 7, id: 0, type: .copy, phase: .leased, sourcePath: "/a/\u{1F}", destinationPath: "/b", size: 12,
            maxTries: 2, attempts: 1, changed: Timestamp(milliseconds: 5))
        let claimed = ClaimedElement(element, token: "7.0.2.x", attempt: 2, leaseUntil: Timestamp(milliseconds: 60_000))
        var sessionless = ClaimedJob(Self.job(.mkdir), source: nil, destination: nil, elements: [])
        sessionless.sourceCredentials = ""
        try expectSame([
            ClaimedJob(Self.job(.copy), source: site, destination: site, elements: [claimed, claimed]), sessionless,
        ])
        try expectSame([ClaimedJob]())
    }

    /// What reads itself takes what its `Decodable` takes.
    @Test func claimsAreReadBack() throws {
        let site = Site(id: 2, name: "s", protocolName: .ssh, endpoints: ["a:22", "b:22"], options: ["k": true])
        let element = Element(
            jobID: 7, id: 0, type: .copy, phase: .leased, sourcePath: "/a/\u{1F}é", destinationPath: nil, size: 12,
            maxTries: 2, attempts: 1, changed: Timestamp(milliseconds: 5))
        let claimed = ClaimedElement(element, token: "7.0.2.x", attempt: 2, leaseUntil: Timestamp(milliseconds: 60_000))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        for jobs in [
            [], [ClaimedJob(Self.job(.copy), source: site, destination: nil, elements: [claimed, claimed])],
            [ClaimedJob(Self.job(.mkdir), source: nil, destination: site, elements: [])],
        ] {
            let text = try encoder.encode(jobs)
            let read = try JSONFields.array([UInt8](text)).map { try ClaimedJob($0) }
            #expect(try encoder.encode(read) == text)
            #expect(try encoder.encode(JSONDecoder().decode([ClaimedJob].self, from: text)) == text)
        }
        for (text, problem) in [
            ("{}", "is not an array"), ("[1]", "is not an object"), ("[{}]", "has no \"id\""), ("[", "is not JSON"),
            (#"[{"id":"x"}]"#, "has a wrong \"id\""),
        ] {
            let error = #expect(throws: JSONFieldError.self) {
                try JSONFields.array([UInt8](text.utf8)).map { try ClaimedJob($0) }
            }
            #expect(error?.description == problem)
        }
    }

    @Test func results() throws {
        let token = "7.0.1.x"
        let bare = OutcomeDocument(returncode: 0, host: "h", log: nil, timestamp: "t")
        let full = OutcomeDocument(
            returncode: 1, host: "h", log: "a\n\"b\"\u{7F}", timestamp: "t", errorClass: "busy", errorSite: 3,
            reason: "why", checksum: "md5:0", transferred: 5)
        try expectSame(
            ResultsRequest(results: [bare, full].map { .init(jobID: 7, elementID: 1, token: token, outcome: $0) }))
        let reply = ResultsReply(results: [.init(status: 200), .init(status: 409, detail: "over")])
        let read = try ResultsReply(JSONFields([UInt8](JSONEncoder().encode(reply))))
        #expect(read.results.map(\.status) == [200, 409] && read.results.map(\.detail) == [nil, "over"])
    }

    @Test func replies() throws {
        try expectSame(
            ResultsReply(results: [.init(status: 200), .init(status: 409, detail: "over"), .init(status: 400)]))
        try expectSame(ResultsReply(results: []))
    }
}
