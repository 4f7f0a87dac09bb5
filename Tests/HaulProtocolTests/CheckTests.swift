import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// What the conformance suite finds: backends that promise what they do not keep.
@Suite(.timeLimit(.minutes(6)))
struct CheckTests {
    /// A site of the Python example, with its operations changed.
    /// - Parameter code: Of a class `Changed` that inherits from the example's `Tree`.
    private func site(
        _ folder: Folder, changed code: String, onDisk: Bool, _ operations: [ProtocolOperation: OperationSpec] = [:],
        credentials: [String: String] = [:]
    ) throws -> CheckSite {
        let path = folder.path
        for part in ["root/base", "local", "scratch"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(part)", withIntermediateDirectories: true)
        }
        let example = "\(Built.repository)/protocols/example-python"
        try FileManager.default.copyItem(atPath: example + "/haul.py", toPath: path + "/haul.py")
        let text = try String(contentsOfFile: example + "/example.py", encoding: .utf8)
        _ = FileManager.default.createFile(
            atPath: path + "/backend.py",
            contents: Data(text.replacing("haul.run(Tree)", with: code + "\n\nhaul.run(Changed)\n").utf8),
            attributes: [.posixPermissions: 0o755])
        var all: [ProtocolOperation: OperationSpec] = [:]
        for operation in [.list, .get, .put, .mkdir] as [ProtocolOperation] { all[operation] = OperationSpec() }
        let manifest = ProtocolManifest(
            name: "changed", backend: ["backend.py"], operations: all.merging(operations) { $1 },
            credentials: credentials.keys.sorted())
        let target = CheckTarget(
            discovered: DiscoveredProtocol(
                manifest: manifest, folder: path, executable: path + "/backend.py"),
            site: SiteSpec(site: "changed", options: ["root": .string(path + "/root")], credentials: credentials),
            base: "/base",
            disk: onDisk ? path + "/root/base" : nil, local: path + "/local", largeBytes: 8 << 20,
            resumeBytes: 4 << 20)
        return CheckSite(target: target, top: "/base", scratch: path + "/scratch")
    }

    private func failure(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "it passed"
        } catch { return "\(error)" }
    }

    /// Goes on from a part, and has lost what was in it: of the right size, and of zeros.
    @Test(arguments: [true, false]) func aResumeThatLosesBytes(_ onDisk: Bool) async throws {
        let folder = try Folder()
        let code = """
            import time
            class Changed(Tree):
                def put(self, element):
                    target, size = self.find(element.destination, self.root), os.stat(element.source).st_size
                    while element.attempt == 1:
                        element.progress(size * 9 // 10, size)
                        time.sleep(0.05)
                    element.say("log", text=f"going on from byte {size * 9 // 10} of an earlier attempt")
                    with open(target, "wb") as file:
                        file.truncate(size)
                    return {"transferred": size}
            """
        let site = try site(folder, changed: code, onDisk: onDisk, [.put: OperationSpec(resume: true)])
        #expect(await failure { try await CheckResume.put(site) } == "resumed/file differs from what was sent")
    }

    /// Tells what its credential file holds: found, and not told on.
    @Test(arguments: ["log", "reason", "argument"]) func aSecretThatIsTold(_ place: String) async throws {
        let folder = try Folder()
        let code = """
            import subprocess, time
            class Changed(Tree):
                def put(self, element):
                    with open("\(folder.path)/word") as file:
                        word = file.read().strip()
                    if "\(place)" == "log":
                        element.say("log", text=f"logging in with {word}")
                    if "\(place)" == "argument":
                        with subprocess.Popen(["/bin/sh", "-c", "read x", word], stdin=subprocess.PIPE) as child:
                            element.progress(1, 5)
                            time.sleep(1)
                            child.communicate()
                    if "\(place)" == "reason":
                        raise haul.Failed("auth", f"{word} is no good")
                    return super().put(element)
            """
        let word = "open-sesame-please"
        try word.write(toFile: folder.path + "/word", atomically: true, encoding: .utf8)
        let site = try site(folder, changed: code, onDisk: true, credentials: ["word": folder.path + "/word"])
        let told = await failure { try await CheckCopies.put(site, Array("x".utf8), "file") }
        #expect(!told.contains(word))
        let found = await failure { try await CheckCredentials.untold(site) }
        #expect(found.contains("[redacted]") && !found.contains(word), "\(found)")
    }

    /// Does not see that its source is another by now.
    @Test func aChangeThatIsNotSeen() async throws {
        let folder = try Folder()
        let code = """
            haul.Element.verify = lambda self, source, now, part, expected, checksum: expected
            class Changed(Tree):
                pass
            """
        let site = try site(folder, changed: code, onDisk: true)
        let found = await failure { try await CheckMeddling.run(site) }
        #expect(found.contains("a source that changes is ok"), "\(found)")
    }

    /// Answers about a source as it should, but for one thing.
    @Test(arguments: [
        ("nothing", "it passed"), ("size", "the facts of a source are not its"), ("from", "bytes 1000000 to 1500000: "),
        ("epipe", "the source ended: "), ("end", "did not end well"),
    ])
    func aSourceThatAnswersWrong(fault: String, expected: String) async throws {
        let folder = try Folder()
        let code = """
            import json, sys
            class Changed(Tree):
                pass

            def say(**line):
                print(json.dumps(line), flush=True)

            def answer(tree, fault):
                for line in sys.stdin.buffer:
                    message = json.loads(line)
                    id, ask = message["id"], message.get("ask")
                    if message["type"] == "element":
                        pipe = message["pipe"]
                        with open(tree.find(message["source"], tree.root), "rb") as file:
                            data = file.read()
                    elif ask == "facts":
                        size = len(data) + (fault == "size")
                        say(type="answer", id=id, answer="facts", facts={"kind": "file", "size": size})
                    elif ask == "read":
                        start = 0 if fault == "from" else message["from"]
                        piece = data[start:start + message["to"] - message["from"]]
                        try:
                            with open(pipe, "wb") as file:
                                file.write(piece)
                        except BrokenPipeError:
                            if fault == "epipe":
                                sys.exit(1)
                        say(type="answer", id=id, answer="sent", bytes=len(piece))
                    elif ask == "end" and fault != "end":
                        say(type="result", id=id, outcome="ok", returncode=0, transferred=0)
                    else:
                        say(type="result", id=id, outcome="failed", reason="odd", **{"class": "interrupted"})

            class Again:
                # Standard input with its first line once more.
                def __init__(self, first, rest):
                    self.buffer, self.first, self.rest = self, first, rest
                def readline(self):
                    return self.first
                def __iter__(self):
                    return iter(self.rest)

            first = sys.stdin.buffer.readline()
            if json.loads(first)["operation"] == "get":
                sys.exit(answer(Tree(json.loads(first)), "\(fault)"))
            sys.stdin = Again(first, sys.stdin.buffer)
            """
        let streams = OperationSpec(stream: true)
        let site = try site(folder, changed: code, onDisk: true, [.get: streams, .put: streams])
        #expect(await failure { try await CheckStream.source(site) }.contains(expected))
    }
}
