import Foundation

extension PartCommand {
    /// The process that runs this command now, whoever started it. Reads `/proc`.
    func process() -> Int32? {
        Self.processes().first { isRun(by: $0) }
    }

    /// True for a process that is this part: started with its arguments, and with the settings that stand among them.
    func isRun(by pid: Int32) -> Bool {
        guard let words = Self.words(pid, "cmdline"), !words.isEmpty else { return false }
        guard argv.first == "/usr/bin/env" else {
            // sshd, apache and globus-gridftp-server have a file of their own, by which they are known. sshd writes a title over its arguments.
            let title = words.joined(separator: " ")
            return title.contains(argv.suffix(2).joined(separator: " "))
                && ["sshd", "apache2", "globus-gridftp-server"].contains { title.contains("/\($0) ") }
        }
        let settings = argv.dropFirst().prefix { $0.contains("=") }
        guard words == Array(argv.dropFirst(1 + settings.count)), let environ = Self.words(pid, "environ") else {
            return false
        }
        return Set(environ).isSuperset(of: settings)
    }

    /// All processes of the machine but this one.
    static func processes() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { $0 != getpid() }
    }

    private static func words(_ pid: Int32, _ what: String) -> [String]? {
        FileManager.default.contents(atPath: "/proc/\(pid)/\(what)").map { data in
            data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
