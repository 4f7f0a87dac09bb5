import Foundation

/// curl, many requests at a time over kept connections.
enum HTTPTools {
    private static let parallel = ["curl", "--silent", "--show-error", "--fail", "--parallel", "--parallel-max", "16"]

    /// Down to this machine's disk, then up; and COPY, where both ends are one server.
    static func many(_ errand: Errand) throws -> [Yardstick] {
        let spool = errand.scratch + "/spool"
        try SampleData(files: errand.data.files, size: 0).write(into: make(spool))
        let down = try list("down", errand) { name in
            "url = \"\(url(errand.from, "\(errand.source)/\(name)"))\"\noutput = \"\(spool)/\(name)\"\n"
        }
        let directories = try list("mkcol", errand, of: [""] + errand.data.directories) { name in
            let path = name.isEmpty ? errand.destination : "\(errand.destination)/\(name)"
            return "url = \"\(url(errand.to, path))\"\n"
        }
        let up = try list("up", errand) { name in
            "url = \"\(url(errand.to, "\(errand.destination)/\(name)"))\"\nupload-file = \"\(spool)/\(name)\"\n"
        }
        let mkcol = [
            "curl", "--silent", "--show-error", "--output", "/dev/null", "--request", "MKCOL", "-K", directories,
        ]
        var all = [
            Yardstick(
                name: "curl --parallel, down then up",
                commands: [parallel + ["-K", down], mkcol, parallel + ["-K", up]])
        ]
        if errand.from.endpoint == errand.to.endpoint {
            let copies = try list("copy", errand, separator: "next\n") { name in
                let target = url(errand.to, "\(errand.destination)/\(name)")
                return "request = \"COPY\"\nheader = \"Destination: \(target)\"\noutput = \"/dev/null\"\n"
                    + "url = \"\(url(errand.from, "\(errand.source)/\(name)"))\"\n"
            }
            all.append(Yardstick(name: "curl --parallel COPY", commands: [mkcol, parallel + ["-K", copies]]))
        }
        return all
    }

    static func one(_ errand: Errand) throws -> [Yardstick] {
        let name = errand.data.names[0]
        let (source, target) = (
            url(errand.from, "\(errand.source)/\(name)"), url(errand.to, "\(errand.destination)/\(name)")
        )
        if errand.from.endpoint == errand.to.endpoint {
            return [
                Yardstick(
                    name: "curl COPY",
                    commands: [["curl", "-sSf", "--request", "COPY", "--header", "Destination: \(target)", source]])
            ]
        }
        let pipe = "curl -sSf \"$1\" | curl -sSf -T - \"$2\""
        return [
            Yardstick(
                name: "curl | curl -T -", commands: [["bash", "-o", "pipefail", "-c", pipe, "pipe", source, target]])
        ]
    }

    static func leg(_ site: BenchSite, _ remote: String, _ disk: String, out: Bool) -> Yardstick {
        let address = url(site, remote)
        return Yardstick(
            name: out ? "curl -o /dev/null" : "curl -T file",
            commands: [["curl", "-sSf"] + (out ? ["-o", "/dev/null", address] : ["-T", disk, address])], isWhole: false)
    }

    private static func url(_ site: BenchSite, _ path: String) -> String { "http://\(site.endpoint)\(path)" }

    private static func make(_ folder: String) throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A config file with an entry for each file.
    private static func list(
        _ name: String, _ errand: Errand, of names: [String]? = nil, separator: String = "",
        _ entry: (String) -> String
    ) throws -> String {
        let file = "\(errand.scratch)/\(name).conf"
        let text = (names ?? errand.data.names).map(entry).joined(separator: separator)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
