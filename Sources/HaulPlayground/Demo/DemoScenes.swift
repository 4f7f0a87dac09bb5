import Foundation
import HaulProtocol

/// What the demo shows, one scene after the other, each checked on the disks of the servers.
struct DemoScenes {
    /// What did not go as it should, a line each.
    private(set) var wrong: [String] = []
    private let stack: Stack
    private let haul: Typed
    private let disk = BlockingQueue(label: "haul.demo.disk")

    init(_ stack: Stack) {
        self.stack = stack
        var environment = Environment.allowed
        environment["HAUL_URL"] = stack.url
        environment["HAUL_TOKEN_FILE"] = stack.folder.secrets + "/alice.token"
        haul = Typed(programs: stack.installation.programs, environment: environment)
    }

    mutating func play() async throws {
        Console.line("\n$ export HAUL_URL=\(stack.url) HAUL_TOKEN_FILE=\(stack.folder.secrets)/alice.token")
        let tree = try await makeTrees()
        try await list()
        try await copy(tree, from: "ssh-a", to: "ssh-b")
        try await copy(tree, from: "http-a", to: "http-b")
        // From one protocol to another, through a pipe between their backends.
        let part = "run 0"
        let run = try await disk.run { [place = directory("ssh-a")] in try FileTree(of: "\(place)/tree/\(part)") }
        try await copy(run, part, from: "ssh-a", to: "gridftp-a")
        try await copy(run, part, from: "gridftp-a", to: "gridftp-b")
        if stack.sites["s3-a"] != nil {
            try await copy(run, part, from: "gridftp-b", to: "s3-a")
            try await copy(run, part, from: "s3-a", to: "local-a")
        } else {
            Demo.heading("Not shown: s3, whose service needs a Python with moto (make venv)")
        }
        // It is there already, from ssh-a: nothing is moved.
        try await copy(tree, from: "http-b", to: "ssh-b")
        try await change("ssh-b", in: "")
        try await change("http-b", in: "/data/")
        try await fail()
        Demo.heading("All jobs")
        _ = try await haul("haul", "jobs")
    }

    private mutating func makeTrees() async throws -> FileTree {
        Demo.heading("A tree of 500 files on ssh-a and on http-a")
        let places = ["ssh-a", "http-a"].map { directory($0) + "/tree" }
        let tree = try await disk.run {
            for place in places { try SampleTree.make(at: place) }
            return try FileTree(of: places[0])
        }
        Console.line(
            "\(tree.files.count) files, \(Figures.megabytes(tree.bytes)), \(tree.directories.count) directories:")
        for line in [
            "names with blanks, quotes, $ and ;, a leading dash, é as one character and as two;",
            "an empty file, an empty directory, one file of \(SampleTree.largest >> 20) MiB",
        ] { Console.line("  \(line)") }
        check(tree.files.count == SampleTree.files, "the tree has \(tree.files.count) files")
        return tree
    }

    private mutating func list() async throws {
        Demo.heading("LIST: what is there")
        for place in ["ssh-a:tree", "http-a:/data/tree"] {
            let answer = try await haul("haul", "list", place, "--wait")
            check(answer.status.isSuccess, "haul list \(place): \(answer.status)")
            let count = answer.lines.count
            check(count >= SampleTree.files, "haul list \(place) prints \(count) lines for 500 files")
        }
    }

    private mutating func copy(
        _ tree: FileTree, _ part: String = "", from source: String, to destination: String
    ) async throws {
        Demo.heading("COPY: \(source) to \(destination)")
        let answer = try await haul("haul", "copy", place(source, part), place(destination, part), "--wait")
        check(answer.status.isSuccess, "haul copy \(source) \(destination): \(answer.status)")
        guard stack.sites[destination]?.root != nil else {
            // No disk to look at: what comes back from there is.
            return
        }
        let arrived = directory(destination) + "/tree" + (part.isEmpty ? "" : "/" + part)
        let copied = try await disk.run { try? FileTree(of: arrived) }
        guard let copied else {
            wrong.append("\(destination) has no tree")
            return
        }
        let differences = tree.differences(to: copied)
        wrong += differences.prefix(20).map { "\(destination): \($0)" }
        if differences.isEmpty {
            Console.line(
                "checked: SHA-256 of each of \(copied.files.count) files and all \(copied.directories.count) directories"
            )
        }
        Console.line(
            "\(copied.files.count) files, \(Figures.megabytes(copied.bytes)) in \(Figures.seconds(answer.seconds))"
                + " (\(Figures.rate(copied.bytes, answer.seconds)))")
    }

    private mutating func change(_ site: String, in top: String) async throws {
        Demo.heading("RENAME, MKDIR, REMOVE on \(site)")
        let root = directory(site)
        let renamed = try await haul("haul", "rename", "\(site):\(top)tree", "\(top)tree of today", "--wait")
        check(renamed.status.isSuccess, "haul rename: \(renamed.status)")
        let isRenamed = !isThere(root + "/tree") && isThere(root + "/tree of today/large.bin")
        check(isRenamed, "\(site): the tree has no new name")
        let made = try await haul("haul", "mkdir", "\(site):\(top)results/2026", "--wait")
        check(made.status.isSuccess && isThere(root + "/results/2026"), "\(site): haul mkdir: \(made.status)")
        let removed = try await haul("haul", "remove", "\(site):\(top)tree of today", "--wait")
        check(removed.status.isSuccess, "haul remove: \(removed.status)")
        check(!isThere(root + "/tree of today"), "\(site): the tree is still there")
        let left = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        check(left == ["results"], "\(site) holds \(left.sorted()), not only results")
        if left == ["results"] { Console.line("checked: the tree is gone, results/2026 is there, nothing else is") }
    }

    private mutating func fail() async throws {
        Demo.heading("A failure, on purpose: a file that is not there, and what its log says")
        let answer = try await haul(
            "haul", "copy", "ssh-a:tree/no such file", "ssh-b:nowhere", "--wait")
        check(answer.status == .exited(1), "haul copy of a missing file: \(answer.status), not exit code 1")
        Console.line("(exit code \(answer.status.code))")
        // "job 9 is FAILED, ..."
        let words = answer.lines.first { $0.contains(" is FAILED") }?.split(separator: " ") ?? []
        guard words.count > 1, let job = Int(words[1]) else {
            wrong.append("haul copy of a missing file names no job that failed")
            return
        }
        let log = try await haul("haul", "output", String(job))
        check(log.status.isSuccess, "haul output: \(log.status)")
        check(
            log.lines.contains { $0.contains("no such file") || $0.contains("not_found") },
            "the log of the failed attempt does not say what is missing")
    }

    /// The tree at a site, or a part of it, as a person would write it: `~/` is where ssh begins.
    private func place(_ site: String, _ part: String) -> String {
        let path = stack.sites[site]?.path ?? ""
        let top = site.hasPrefix("ssh") ? "tree" : (path == "/" ? "" : path) + "/tree"
        return "\(site):\(top)" + (part.isEmpty ? "" : "/" + part)
    }

    /// The disk behind what the demo uses of a site.
    private func directory(_ site: String) -> String { stack.sites[site]?.root ?? "" }

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private mutating func check(_ holds: Bool, _ otherwise: String) {
        guard !holds else { return }
        Console.line("NOT AS IT SHOULD BE: \(otherwise)")
        wrong.append(otherwise)
    }
}
