import Foundation
import HaulModel
import Testing

@testable import HaulAPI

/// Documents of the UWS face, byte by byte as they stand in `UWSGolden/`.
@Suite struct UWSGoldenTests {
    private static let registered = Timestamp(milliseconds: 1_767_323_045_678)

    private func golden(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        return try String(contentsOfFile: "\(folder)/UWSGolden/\(name).xml", encoding: .utf8)
    }

    private func job(_ id: Int, _ status: Status) -> Job {
        Job(
            id: id, userID: 1, queue: "default", type: .copy, protocolName: .ssh, status: status,
            source: .init(siteID: 1, path: "/d"), destination: .init(siteID: 2, path: "/e"), options: ["depth": 2],
            priority: 5, maxTries: 2, label: nil, logUID: "", registered: Self.registered, changed: Self.registered,
            counts: StatusCounts())
    }

    private var pending: Job {
        var job = job(7, .new)
        job.isSound = false
        job.draft = JobDraft(document: ["src_siteid": "1", "extra_opts": ["odd": "<&>"]])
        return job
    }

    private var completed: Job {
        var job = job(8, .done)
        job.label = "run \"7\""
        (job.started, job.ended) = (Self.registered.adding(seconds: 1), Self.registered.adding(seconds: 2))
        job.executionSeconds = 60
        job.destruction = Self.registered.adding(seconds: 3600)
        job.counts.done = 2
        return job
    }

    private func document(
        _ job: Job, in name: String = "copy", _ message: String? = nil, results: [(String, String)] = []
    ) throws -> String {
        let around = UWSDocuments.Around(
            owner: "alice", list: try #require(UWSList(name)), url: "http://h/uws/\(name)/\(job.id)", quote: nil,
            message: message)
        var xml = XMLWriter()
        UWSDocuments.beginJob(job, around, &xml)
        for (name, type) in results { UWSDocuments.result(name, type, url: around.url, &xml) }
        UWSDocuments.endJob(job, around, &xml)
        return String(decoding: xml.take(), as: UTF8.self) + "\n"
    }

    @Test func jobs() throws {
        #expect(try document(pending) == golden("pending"))
        let results = [("result", "application/json"), ("log-0", "text/plain")]
        #expect(try document(completed, results: results) == golden("completed"))
        // Where there are jobs of any type, TYPE says it.
        let type = "<uws:parameter id=\"TYPE\">COPY</uws:parameter>"
        for name in ["transfer", "async"] {
            let text = try document(completed, in: name, results: results)
            #expect(text.contains("<uws:parameters>" + type), "\(text)")
            let others = text.replacing(type, with: "").replacing("/uws/\(name)/", with: "/uws/copy/")
            #expect(try others == golden("completed"))
        }
        var failed = pending
        failed.status = .failed
        failed.ended = Self.registered
        failed.counts.failed = 1
        #expect(try document(failed, "src_filepath is missing & more") == golden("failed"))
    }

    @Test func list() throws {
        var xml = XMLWriter()
        UWSDocuments.beginJobs(&xml)
        for job in [pending, completed] {
            UWSDocuments.reference(job, owner: "alice", url: "http://h/uws/copy/\(job.id)", &xml)
        }
        xml.end()
        #expect(try String(decoding: xml.take(), as: UTF8.self) + "\n" == golden("jobs"))
    }
}
