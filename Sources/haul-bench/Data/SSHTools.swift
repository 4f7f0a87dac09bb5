import Foundation

/// rclone, scp and ssh, each with the flags that make it fastest.
enum SSHTools {
    private static let cipher = "aes128-gcm@openssh.com"

    static func many(_ errand: Errand) throws -> [Yardstick] {
        var environment: [String: String] = [:]
        for (name, site) in [("A", errand.from), ("B", errand.to)] {
            let settings = [
                "TYPE": "sftp", "HOST": "127.0.0.1", "PORT": site.port, "USER": try site.setting("HAUL_SSH_USER"),
                "KEY_FILE": try site.setting("HAUL_SSH_LOGIN_KEY"), "KNOWN_HOSTS_FILE": try knownHosts(errand),
                // It would run md5sum on both machines for each file.
                "DISABLE_HASHCHECK": "true",
            ]
            for (key, value) in settings { environment["RCLONE_CONFIG_\(name)_\(key)"] = value }
        }
        let words = [
            "rclone", "copy", "--config", "/dev/null", "--transfers", "16", "--checkers", "16", "A:\(errand.source)",
            "B:\(errand.destination)",
        ]
        return [Yardstick(name: "rclone copy, sftp to sftp", commands: [words], environment: environment)]
    }

    static func one(_ errand: Errand) throws -> [Yardstick] {
        let name = errand.data.names[0]
        let options = try options(errand)
        func place(_ site: BenchSite, _ path: String) -> String { "scp://127.0.0.1:\(site.port)/\(path)/\(name)" }
        let pipe =
            "\"$@\" -p \(errand.from.port) 127.0.0.1 \"cat '\(errand.source)/\(name)'\""
            + " | \"$@\" -p \(errand.to.port) 127.0.0.1 \"cat > '\(errand.destination)/\(name)'\""
        return [
            Yardstick(
                name: "scp -3 -c \(cipher)",
                commands: [
                    ["scp", "-q", "-3"] + options
                        + [place(errand.from, errand.source), place(errand.to, errand.destination)]
                ]),
            Yardstick(
                name: "ssh cat | ssh cat, \(cipher)",
                commands: [["bash", "-o", "pipefail", "-c", pipe, "pipe", "ssh"] + options]),
        ]
    }

    /// The tool that speaks SFTP, as haul does, and the way past it, for who has a shell there.
    static func legs(_ errand: Errand, _ site: BenchSite, _ remote: String, _ disk: String, out: Bool) throws
        -> [Yardstick]
    {
        let options = try options(errand)
        let place = "scp://127.0.0.1:\(site.port)/\(remote)"
        let command = out ? "cat '\(remote)'" : "cat > '\(remote)'"
        let files = out ? "> /dev/null" : "< '\(disk)'"
        let words = ["bash", "-c", "exec \"$@\" \(files)", "leg", "ssh"]
        return [
            Yardstick(
                name: out ? "scp URL /dev/null" : "scp file URL",
                commands: [["scp", "-q"] + options + (out ? [place, "/dev/null"] : [disk, place])], isWhole: false),
            Yardstick(
                name: out ? "ssh cat > /dev/null" : "ssh 'cat > file' < file",
                commands: [words + options + ["-p", site.port, "127.0.0.1", command]], isWhole: false),
        ]
    }

    private static func options(_ errand: Errand) throws -> [String] {
        let site = errand.from.protocolName == "ssh" ? errand.from : errand.to
        return [
            "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o",
            "UserKnownHostsFile=\(try knownHosts(errand))", "-o", "User=\(try site.setting("HAUL_SSH_USER"))", "-i",
            try site.setting("HAUL_SSH_LOGIN_KEY"), "-c", cipher,
        ]
    }

    /// The keys of the servers' hosts, pinned as haul pins them.
    private static func knownHosts(_ errand: Errand) throws -> String {
        let file = errand.scratch + "/known_hosts"
        let lines = try [errand.from, errand.to].filter { $0.protocolName == "ssh" }.map { site in
            let variable = "HAUL_" + site.name.uppercased().replacing("-", with: "_") + "_KEY"
            return "[127.0.0.1]:\(site.port) \(try site.setting(variable))\n"
        }
        try lines.joined().write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
