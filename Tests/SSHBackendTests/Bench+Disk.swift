import Foundation
import HaulProtocol
import Support

/// What stands on the server's disk, and who serves it: paths are below the site's `~`.
extension Bench {
    func write(_ path: String, _ content: String) throws { try write(path, Data(content.utf8)) }

    func write(_ path: String, _ content: Data) throws {
        let file = root + "/" + path
        let parent = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try content.write(to: URL(fileURLWithPath: file))
    }

    /// A file that is nowhere like itself.
    func writeLarge(_ path: String, mebibytes: Int) throws {
        var generator = SystemRandomNumberGenerator()
        var block = Data()
        for _ in 0..<(1 << 17) { withUnsafeBytes(of: generator.next() as UInt64) { block.append(contentsOf: $0) } }
        try write(path, Data())
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: root + "/" + path))
        defer { try? file.close() }
        for index in 0..<mebibytes {
            withUnsafeBytes(of: UInt64(index)) { block.replaceSubrange(0..<8, with: $0) }
            try file.write(contentsOf: block)
        }
    }

    func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: root + "/" + path, withIntermediateDirectories: true)
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: root + "/" + path, withDestinationPath: target)
    }

    func data(_ path: String) -> Data? { FileManager.default.contents(atPath: root + "/" + path) }

    func text(_ path: String) -> String? { data(path).map { String(decoding: $0, as: UTF8.self) } }

    /// Whether anything is there, a link counts as itself.
    func exists(_ path: String) -> Bool { status(path) != nil }

    func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(root + "/" + path, &status) == 0 ? status : nil
    }

    func setModified(_ path: String, _ seconds: Int) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: Double(seconds))], ofItemAtPath: root + "/" + path)
    }

    /// Part files anywhere on the site.
    func parts() -> [String] {
        (FileManager.default.subpaths(atPath: root) ?? []).filter {
            ($0 as NSString).lastPathComponent.hasPrefix(PartFile.prefix)
        }
    }

    /// Waits until so much of a copy has arrived that there is something to go on from.
    func partHasGrown() async throws {
        try await eventually("a part file grows") {
            parts().contains { Int(status($0)?.st_size ?? 0) > 1 << 20 }
        }
    }

    /// The name of the part file that a copy of this file has, with the seed of ``one(_:_:_:attempt:last:checksum:onEvent:)``.
    func partName(_ source: String) throws -> String {
        guard let status = status(source) else { throw CocoaError(.fileNoSuchFile) }
        return try PartFile.name(
            seed: "seed", size: Int(status.st_size), modified: Int(status.st_mtim.tv_sec))
    }

    private var stack: String { String(root.dropLast("/sites/sshd".count)) }

    /// How many logins the server has let in.
    var logins: Int {
        let log = (try? String(contentsOfFile: stack + "/logs/sshd.log", encoding: .utf8)) ?? ""
        return log.components(separatedBy: "Accepted publickey").count - 1
    }

    /// Lets other logins than that of this process in: sshd reads their key as they would.
    func admitOthers() {
        chmod(stack, 0o711)
        chmod(stack + "/private", 0o711)
    }

    /// The processes that serve connections: one each where root logs in, for anyone else also one that has fewer rights.
    func sessions() -> [pid_t] {
        let processes = Self.processes()
        let servers = processes.filter { $0.parent == getpid() && $0.command.contains(stack + "/") }.map(\.id)
        var found = processes.filter { servers.contains($0.parent) }.map(\.id)
        var parents = Set(found)
        while !parents.isEmpty {
            let children = processes.filter { parents.contains($0.parent) }.map(\.id)
            found += children
            parents = Set(children)
        }
        return found
    }

    func signalSessions(_ signal: Int32) { sessions().forEach { kill($0, signal) } }

    private static func processes() -> [(id: pid_t, parent: pid_t, command: String)] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { name in
            guard let id = pid_t(name), let stat = FileManager.default.contents(atPath: "/proc/\(name)/stat"),
                let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " "),
                fields.count > 1, let parent = pid_t(fields[1])
            else { return nil }
            let command = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            return (id, parent, String(decoding: command, as: UTF8.self))
        }
    }
}
