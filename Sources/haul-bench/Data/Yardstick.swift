import Foundation

/// A bare tool that does the same, or one half of it.
struct Yardstick {
    var name: String
    /// The commands, one after the other; each with its arguments.
    var commands: [[String]]
    var environment: [String: String] = [:]
    /// Whether all of it stands at the destination afterwards.
    var isWhole = true

    /// Runs them, and waits for their end.
    /// - Returns: Seconds.
    func run(log: String) throws -> Double {
        let start = ContinuousClock.now
        for command in commands {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = command
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            guard FileManager.default.createFile(atPath: log, contents: nil),
                let output = FileHandle(forWritingAtPath: log)
            else { throw BenchError(message: "\(log) cannot be written") }
            process.standardOutput = output
            process.standardError = output
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                throw BenchError(
                    message: "\(name): \(command[0]) ended with \(process.terminationStatus): \(said.prefix(500))")
            }
        }
        return (ContinuousClock.now - start) / .seconds(1)
    }
}

/// What yardsticks are made from.
struct Errand {
    var from: BenchSite
    var to: BenchSite
    var data: SampleData
    /// A folder of this machine: lists, and what a tool brings through it.
    var scratch: String

    var source: String { "\(from.path)/src" }
    var destination: String { "\(to.path)/dst" }
    var isOneFile: Bool { data.files == 1 }

    /// Every yardstick that there is for it.
    func yardsticks() throws -> [Yardstick] {
        switch (from.protocolName, to.protocolName) {
        case ("ssh", "ssh"): try isOneFile ? SSHTools.one(self) : SSHTools.many(self)
        case ("http", "http"): try isOneFile ? HTTPTools.one(self) : HTTPTools.many(self)
        case ("gridftp", "gridftp"): isOneFile ? GridFTPTools.one(self) : try GridFTPTools.many(self)
        case ("local", "local"): isOneFile ? LocalTools.one(self) : LocalTools.many(self)
        default: isOneFile ? try legs(of: from, out: true) + legs(of: to, out: false) : []
        }
    }

    /// One half of a copy between two protocols: out of a site into nothing, or from this machine's disk into a site.
    private func legs(of site: BenchSite, out: Bool) throws -> [Yardstick] {
        let name = data.names[0]
        // The content stands on this machine's disk anyway: the source's.
        let (remote, disk) = (out ? "\(source)/\(name)" : "\(destination)/\(name)", "\(from.disk)/src/\(name)")
        switch site.protocolName {
        case "ssh": return try SSHTools.legs(self, site, remote, disk, out: out)
        case "http": return [HTTPTools.leg(site, remote, disk, out: out)]
        case "gridftp": return [GridFTPTools.leg(site, remote, disk, out: out)]
        case "local": return [LocalTools.leg(remote, disk, out: out)]
        default: throw BenchError(message: "there is no bare tool for \(site.protocolName) here")
        }
    }
}
