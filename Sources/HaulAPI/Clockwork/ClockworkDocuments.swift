import HaulEngine
import HaulModel
import HaulWire

/// The documents of Clockwork. What stands in `slurm` is named as Slurm does; what haul has not is null.
enum ClockworkDocuments {
    /// What of jobs stands elsewhere than in themselves.
    struct Context {
        var around: Engine.JobSurroundings
        var outcomes: [Int: JobOutcome]
        var sites: SiteDirectory
        /// Stands before each path, as the client sees it.
        var prefix: String
    }

    /// A job.
    ///
    /// - Parameter properties: its user's dict, as JSON.
    static func job(_ job: Job, _ context: Context, _ properties: [UInt8]) -> [UInt8] {
        let (around, sites) = (context.around, context.sites)
        let owner = around.owners[job.userID] ?? ""
        let state = ClockworkState(job)
        let output = "\(context.prefix)\(WirePath.root)/jobs/\(job.id)/output"
        var writer = JSONWriter(capacity: 1024 + properties.count)
        writer.object { writer in
            writer.key("cw")
            writer.object { writer in
                writer.field("cc_account_username", .null)
                writer.field("mila_cluster_username", owner)
                writer.field("mila_email_username", owner)
            }
            writer.key("slurm")
            writer.object { writer in
                writer.field("account", owner)
                writer.field("cc_account_username", .null)
                writer.field("cluster_name", cluster(job.place, sites))
                writer.field("command", command(job, sites).map(JSONValue.string) ?? .null)
                writer.field("end_time", job.ended?.text ?? "Unknown")
                writer.field("exit_code", state.exitCode(context.outcomes[job.id]))
                writer.field("job_id", "\(job.id)")
                writer.field("job_state", state.rawValue)
                writer.field("mila_cluster_username", owner)
                writer.field("name", job.label ?? (job.isSound ? job.type.name.lowercased() : "uncommitted"))
                writer.field("nodes", around.workers[job.id].map(JSONValue.string) ?? .null)
                writer.field("partition", job.queue)
                writer.field("start_time", job.started?.text ?? "Unknown")
                writer.field("stderr", output)
                writer.field("stdin", "/dev/null")
                writer.field("stdout", output)
                writer.field("submit_time", job.registered.text)
                writer.field("time_limit", job.executionSeconds > 0 ? .int(job.executionSeconds) : .null)
                writer.field("uid", "\(job.userID)")
                writer.field(
                    "work_dir",
                    job.place == JobFilter.nowhere ? .null : .string((job.destination ?? job.source).path))
            }
        }
        return writer.bytes.dropLast() + Array(",\"user\":".utf8) + properties + Array("}".utf8)
    }

    /// A worker.
    ///
    /// - Parameter address: its machine; nil where that is not told, which is what Slurm tells of a node whose address is its
    ///   name.
    static func node(_ worker: KnownWorker, cluster: String, address: String?, _ writer: inout JSONWriter) {
        let record = worker.record
        writer.object { writer in
            writer.key("cw")
            writer.object { _ in }
            writer.key("slurm")
            writer.object { writer in
                writer.field("addr", address ?? record.name)
                writer.field("alloc_tres", "cpu=\(worker.holding)")
                writer.field("arch", .null)
                writer.field("cfg_tres", "cpu=\(record.slots)")
                writer.field("cluster_name", cluster)
                writer.field("comment", worker.drained.map { .string("drained \($0.text)") } ?? .null)
                writer.field("cpu_load", worker.load.map(JSONValue.double) ?? .null)
                writer.field("cpus", record.slots)
                writer.field("features", record.protocols.joined(separator: ","))
                writer.field("gres", .null)
                writer.field("last_heartbeat", worker.seen.text)
                writer.field("memory", .null)
                writer.field("name", record.name)
                writer.field("state", ClockworkNodeState(worker).rawValue)
            }
        }
    }

    /// The name of a site; its number where it has none any more.
    static func cluster(_ site: Int, _ sites: SiteDirectory) -> String {
        sites[site]?.name ?? (site == JobFilter.nowhere ? nowhere : "\(site)")
    }

    /// The cluster of what belongs to no site.
    static let nowhere = "default"

    /// What the job does, in words; nil where it can't be run. The text of a TASK may be long: it is not read for lists.
    private static func command(_ job: Job, _ sites: SiteDirectory) -> String? {
        guard job.isSound else { return nil }
        if job.type == .task { return job.task }
        let places = [job.source, job.destination].compactMap(\.self)
        return ([job.type.name.lowercased()] + places.map { "\(cluster($0.siteID, sites)):\($0.path)" })
            .joined(separator: " ")
    }
}

extension Job {
    /// The site where its data is in the end.
    var place: Int { isSound && type != .task ? (destination ?? source).siteID : JobFilter.nowhere }
}
