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
        for job in [Self.job(.list), Self.job(.copy, label: "l"), Self.job(.rename, isKept: true)] {
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

    @Test func replies() throws {
        try expectSame(
            ResultsReply(results: [.init(status: 200), .init(status: 409, detail: "over"), .init(status: 400)]))
        try expectSame(ResultsReply(results: []))
    }
}
