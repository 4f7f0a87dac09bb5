import Foundation

/// globus-url-copy with the flags that make it fastest; between two servers without passing through it.
enum GridFTPTools {
    static func many(_ errand: Errand) throws -> [Yardstick] {
        let list = errand.scratch + "/pairs"
        let lines = errand.data.names.map { name in
            "\(url(errand.from, "\(errand.source)/\(name)")) \(url(errand.to, "\(errand.destination)/\(name)"))\n"
        }
        try lines.joined().write(toFile: list, atomically: true, encoding: .utf8)
        return [
            Yardstick(
                name: "globus-url-copy -f LIST -cc 4 -fast -pp",
                commands: [["globus-url-copy", "-cd", "-cc", "4", "-fast", "-pp", "-f", list]])
        ]
    }

    static func one(_ errand: Errand) -> [Yardstick] {
        let name = errand.data.names[0]
        return [
            Yardstick(
                name: "globus-url-copy -fast -p 4",
                commands: [
                    [
                        "globus-url-copy", "-fast", "-p", "4", url(errand.from, "\(errand.source)/\(name)"),
                        url(errand.to, "\(errand.destination)/\(name)"),
                    ]
                ])
        ]
    }

    static func leg(_ site: BenchSite, _ remote: String, _ disk: String, out: Bool) -> Yardstick {
        let words = out ? [url(site, remote), "file:///dev/null"] : ["file://\(disk)", url(site, remote)]
        return Yardstick(
            name: out ? "globus-url-copy URL /dev/null" : "globus-url-copy file URL",
            commands: [["globus-url-copy", "-fast"] + words], isWhole: false)
    }

    private static func url(_ site: BenchSite, _ path: String) -> String { "ftp://\(site.endpoint)\(path)" }
}
