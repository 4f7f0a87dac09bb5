import HaulModel

/// The documents of UWS 1.1 (its schema, version 1.1-REC-20161024), in the order of the schema.
enum UWSDocuments {
    static let contentType = "text/xml; charset=utf-8"

    /// What a job's document says besides the job itself.
    struct Around {
        var owner: String
        /// In which it is looked at.
        var list: UWSList
        /// The absolute URL of the job.
        var url: String
        /// When it will have ended, as far as that can be told.
        var quote: Timestamp?
        /// What its elements that run moved so far.
        var progress: Attempt.Progress?
        /// Of a job that failed: why.
        var message: String?
    }

    private static let namespaces: KeyValuePairs<String, String> = [
        "xmlns:uws": "http://www.ivoa.net/xml/UWS/v1.0", "xmlns:xlink": "http://www.w3.org/1999/xlink",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "version": "1.1",
    ]

    /// The same without a version: what stands for a part of a job has none.
    private static let partNamespaces: KeyValuePairs<String, String> = [
        "xmlns:uws": "http://www.ivoa.net/xml/UWS/v1.0", "xmlns:xlink": "http://www.w3.org/1999/xlink",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    ]

    static func beginJobs(_ xml: inout XMLWriter) { xml.begin("uws:jobs", namespaces) }

    static func reference(_ job: Job, owner: String, url: String, _ xml: inout XMLWriter) {
        xml.begin("uws:jobref", ["id": "\(job.id)", "xlink:href": url])
        xml.element("uws:phase", UWSPhase(job.stage).rawValue)
        if let label = job.label { xml.element("uws:runId", label) }
        xml.element("uws:ownerId", owner)
        xml.element("uws:creationTime", job.registered.text)
        xml.end()
    }

    /// A job's document as far as its results, which are begun.
    static func beginJob(_ job: Job, _ around: Around, _ xml: inout XMLWriter) {
        xml.begin("uws:job", namespaces)
        xml.element("uws:jobId", "\(job.id)")
        if let label = job.label { xml.element("uws:runId", label) }
        xml.element("uws:ownerId", around.owner)
        xml.element("uws:phase", UWSPhase(job.stage).rawValue)
        time("uws:quote", around.quote, &xml)
        time("uws:creationTime", job.registered, &xml)
        time("uws:startTime", job.started, &xml)
        time("uws:endTime", job.ended, &xml)
        xml.element("uws:executionDuration", "\(job.executionSeconds)")
        time("uws:destruction", job.destruction, &xml)
        xml.begin("uws:parameters")
        parameters(of: job, in: around.list, &xml)
        xml.end()
        xml.begin("uws:results")
    }

    /// What stands behind the results.
    static func endJob(_ job: Job, _ around: Around, _ xml: inout XMLWriter) {
        xml.end()
        if let message = around.message {
            xml.begin("uws:errorSummary", ["type": "fatal", "hasDetail": "true"])
            xml.element("uws:message", message)
            xml.end()
        }
        xml.begin("uws:jobInfo")
        xml.begin("haul:progress", ["xmlns:haul": "urn:haul:progress"])
        let counts: KeyValuePairs<String, Int> = [
            "elements": job.counts.total, "new": job.counts.new, "submitted": job.counts.submitted,
            "running": job.counts.running, "done": job.counts.done, "failed": job.counts.failed,
            "cancelled": job.counts.cancelled,
        ]
        for (name, count) in counts { xml.element("haul:\(name)", "\(count)") }
        if let progress = around.progress {
            xml.element("haul:transferred", "\(progress.transferred)")
            let measures: KeyValuePairs = [
                "elapsed": progress.elapsed, "instant": progress.instant, "average": progress.average,
            ]
            for (name, measure) in measures { xml.element("haul:\(name)", "\(measure)") }
        }
        xml.end()
        xml.end()
        xml.end()
    }

    static func parameters(_ job: Job, in list: UWSList) -> [UInt8] {
        var xml = XMLWriter()
        xml.begin("uws:parameters", partNamespaces)
        parameters(of: job, in: list, &xml)
        xml.end()
        return xml.take()
    }

    static func beginResults(_ xml: inout XMLWriter) { xml.begin("uws:results", partNamespaces) }

    static func result(_ name: String, _ type: String, url: String, _ xml: inout XMLWriter) {
        xml.element(
            "uws:result",
            ["id": name, "xlink:type": "simple", "xlink:href": "\(url)/results/\(name)", "mime-type": type])
    }

    private static func parameters(of job: Job, in list: UWSList, _ xml: inout XMLWriter) {
        for (name, value) in job.uwsParameters(in: list) { xml.element("uws:parameter", ["id": name], value) }
    }

    private static func time(_ name: String, _ time: Timestamp?, _ xml: inout XMLWriter) {
        if let time { xml.element(name, time.text) } else { xml.element(name, ["xsi:nil": "true"]) }
    }
}

extension XMLWriter {
    fileprivate mutating func element(_ name: String, _ text: String) { element(name, [:], text) }
}
