import Foundation
import HaulPlayground
import HaulProtocol
import Support

/// A real Slurm cluster of one node: slurmctld and slurmd on free ports of the loopback interface, as root, without munge.
final class SlurmCluster: Sendable {
    let folder: String
    private let daemons: [Child]

    var conf: String { folder + "/slurm.conf" }

    static func start() async throws -> SlurmCluster {
        let folder = NSTemporaryDirectory() + "haul-slurm-\(UUID().uuidString)"
        for name in ["state", "spool"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let host = try await ProgramRun(executable: tool("hostname"), ["-s"]).output.trimmingCharacters(in: .newlines)
        try configuration(folder, host: host, ports: try Loopback.lastingPorts(2)).write(
            toFile: folder + "/slurm.conf", atomically: true, encoding: .utf8)
        var daemons: [Child] = []
        for name in ["slurmctld", "slurmd"] {
            daemons.append(
                try await Child.start(
                    Command(
                        executable: tool(name), arguments: ["-D", "-f", folder + "/slurm.conf"], output: .null,
                        errors: .append(path: "\(folder)/\(name).out"), newGroup: name == "slurmctld")))
        }
        let cluster = SlurmCluster(folder, daemons)
        do {
            try await eventually("the node is up", within: .seconds(60)) {
                try await cluster.run("sinfo", "--noheader", "--format=%t").hasPrefix("idle")
            }
        } catch {
            let said = ["slurmctld", "slurmd"].map {
                (try? String(contentsOfFile: "\(folder)/\($0).out", encoding: .utf8)) ?? ""
            }
            await cluster.remove()
            throw LiveServer.Failure(description: "no Slurm (\(error)): \(said.joined(separator: "\n"))")
        }
        return cluster
    }

    private init(_ folder: String, _ daemons: [Child]) { (self.folder, self.daemons) = (folder, daemons) }

    /// What a command of Slurm's says; empty where it fails.
    func run(_ name: String, _ arguments: String...) async throws -> String {
        try await ProgramRun(executable: Self.tool(name), arguments, environment: ["SLURM_CONF": conf]).output
    }

    /// Jobs that have not ended, by name.
    func jobs() async throws -> [String] {
        try await run("squeue", "--noheader", "--format=%j").split(separator: "\n").map(String.init)
    }

    func remove() async {
        _ = try? await run("scancel", "--user=root")
        try? await eventually("jobs end") { try await self.jobs().isEmpty }
        for daemon in daemons.reversed() { await daemon.stop() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func tool(_ name: String) -> String {
        ToolPath.find(name, path: "/usr/sbin:/sbin:/usr/bin:/bin") ?? name
    }

    private static func configuration(_ folder: String, host: String, ports: [Int]) -> String {
        """
        ClusterName=haul
        SlurmctldHost=\(host)(127.0.0.1)
        SlurmctldPort=\(ports[0])
        SlurmdPort=\(ports[1])
        SlurmUser=root
        SlurmdUser=root
        AuthType=auth/none
        CredType=cred/none
        StateSaveLocation=\(folder)/state
        SlurmdSpoolDir=\(folder)/spool
        SlurmctldPidFile=\(folder)/slurmctld.pid
        SlurmdPidFile=\(folder)/slurmd.pid
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        SelectType=select/linear
        SwitchType=switch/none
        MpiDefault=none
        ReturnToService=2
        KillWait=2
        SlurmdParameters=config_overrides
        NodeName=\(host) NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
        PartitionName=main Nodes=\(host) Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
        """
    }
}
