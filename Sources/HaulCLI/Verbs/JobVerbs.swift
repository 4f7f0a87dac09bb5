import Foundation
import HaulModel
import HaulWire
import Synchronization

extension Verb {
    /// `haul jobs` on a terminal shows so many, unless told otherwise.
    private static let page = 100

    static let jobs = Verb(
        name: "jobs", summary: "your jobs, by id",
        options: [
            .choice("status", Status.allCases.map(\.name), "only these"),
            .choice("type", JobType.allCases.map(\.name), "only these"),
            .value("queue", "NAME", "only those of a queue"), .value("site", "SITE", "only those that touch a site"),
            .value("user", "NAME", "whose, for operators; * shows everybody's"),
            .value("since", "TIME", "only those changed since: 2026-01-31T12:00Z, or 90m, 12h, 7d ago"),
            .number("limit", "N", "at most so many; on a terminal 100 where none is given"),
            .number("after", "JOB", "only those with a higher id"), .flag("all", "all of them, also on a terminal"),
        ],
        notes: [
            "Not on a terminal: a line a job, tabs between id, status, type, done/elements, priority, queue, source, "
                + "destination, time and label."
        ]
    ) { invocation in
        let arguments = invocation.arguments
        var query = ["status", "type", "queue", "site", "user"].compactMap { name in arguments[name].map { (name, $0) }
        }
        if let since = arguments["since"] { query.append(("since", try moment(since))) }
        if let after = try arguments.number("after", in: 0...Int.max) { query.append(("after", "\(after)")) }
        let asked = try arguments.number("limit", in: 1...Int.max)
        let isPage = asked == nil && !arguments.has("all") && invocation.output.isTerminal && !invocation.isJSON
        if let limit = asked ?? (isPage ? page : nil) { query.append(("limit", "\(limit)")) }
        let titles = ["ID", "STATUS", "TYPE", "DONE", "PRI", "QUEUE", "SOURCE", "DESTINATION", "CHANGED", "LABEL"]
        let columns = titles.map {
            Table.Column(title: $0, isPath: $0 == "SOURCE" || $0 == "DESTINATION" || $0 == "LABEL")
        }
        let last = Mutex(0)
        let count = try await Rows.print(columns, "/jobs", query, JobDocument.self, invocation) { job in
            last.withLock { $0 = job.id }
            return [
                "\(job.id)", job.status, job.type, job.counts.map { "\($0.done)/\($0.elements)" } ?? "-",
                "\(job.priority)", job.queue, job.sourceText,
                job.destinationPath.map { "\(job.destinationSiteID ?? job.sourceSiteID):\($0)" } ?? "-",
                job.timestamp, job.label ?? "-",
            ]
        }
        if isPage, count == page {
            await invocation.errors.line(
                "the first \(page); haul jobs --after \(last.withLock { $0 }) goes on, --all shows all")
        }
        return .ok
    }

    static let job = Verb(
        name: "job", summary: "one job in full", operands: "JOB", count: 1...1, completes: .job
    ) { invocation in
        let bytes = try await invocation.server().get("/jobs/\(try invocation.id(0, "a job"))")
        guard !invocation.isJSON else {
            await invocation.output.bytes(bytes + [0x0A])
            return .ok
        }
        let job = try ServerConnection.decode(JobDocument.self, bytes)
        var facts = [
            ("job", "\(job.id)"), ("type", job.type), ("status", job.status),
            job.type == JobType.task.name ? ("task", job.sourceText) : ("source", job.sourceText),
        ]
        if let path = job.destinationPath {
            facts.append(("destination", "\(job.destinationSiteID ?? job.sourceSiteID):\(path)"))
        }
        facts += [
            ("protocol", job.protocolName), ("queue", job.queue), ("priority", "\(job.priority)"),
            ("tries", "\(job.maxTries)"), ("changed", job.timestamp),
        ]
        if let label = job.label { facts.append(("label", label)) }
        if let deadline = job.deadline { facts.append(("deadline", deadline)) }
        if let seconds = job.executionDuration, seconds > 0 { facts.append(("may take", "\(seconds) s")) }
        if let destruction = job.destruction { facts.append(("goes", destruction)) }
        if let counts = job.counts {
            let parts = [
                ("done", counts.done), ("failed", counts.failed), ("running", counts.running),
                ("submitted", counts.submitted), ("new", counts.new), ("cancelled", counts.cancelled),
            ]
            let text = parts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
            facts.append(("elements", "\(counts.elements)" + (text.isEmpty ? "" : " (\(text))")))
        }
        for (name, value) in job.options.sorted(by: { $0.key < $1.key }) {
            facts.append(("option", "\(name)=\(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))"))
        }
        await Facts.print(facts, invocation)
        return .ok
    }

    static let status = Verb(
        name: "status", summary: "the status of a job or an element, and how fast it moves", operands: "JOB [ELEMENT]",
        count: 1...2, completes: .job
    ) { invocation in
        let job = try invocation.id(0, "a job")
        let isElement = invocation.arguments.operands.count == 2
        let path =
            isElement ? "/jobs/\(job)/elements/\(try invocation.id(1, "an element"))/status" : "/jobs/\(job)/status"
        let bytes = try await invocation.server().get(path)
        if invocation.isJSON {
            await invocation.output.bytes(bytes + [0x0A])
        } else if isElement {
            let status = try ServerConnection.decode(ElementStatusDocument.self, bytes)
            var facts = [("status", status.status), ("attempts", "\(status.attempts)")]
            if let moved = status.transferred.value { facts.append(("transferred", Human.size(moved))) }
            if let rate = status.instant.value { facts.append(("rate", Human.size(rate) + "/s")) }
            if let rate = status.average.value { facts.append(("average", Human.size(rate) + "/s")) }
            if let time = status.elapsed.value { facts.append(("elapsed", Human.time(time))) }
            await Facts.print(facts, invocation)
        } else {
            let status = try ServerConnection.decode(JobStatusName.self, bytes).status
            await invocation.output.line(Printable.line(status))
        }
        return .ok
    }

    private struct JobStatusName: Decodable { var status: String }

    static func moment(_ text: String) throws(CLIError) -> String {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = text.last, let unit = units[last], let number = Double(text.dropLast()), number >= 0,
            number < 1e6
        else { return text }
        let now = Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000))
        return now.adding(seconds: -number * unit).text
    }
}

extension JobDocument {
    /// Where it begins; of a TASK, which is nowhere, what there is to do.
    fileprivate var sourceText: String {
        sourceSiteID == Job.Place.nowhere.siteID ? task ?? "-" : "\(sourceSiteID):\(sourcePath)"
    }
}
