import HaulProtocol
import Testing

/// The completion scripts in the shells that they are for.
@Suite struct CompletionTests {
    @Test(arguments: [
        ("haul li", 1, "list"), ("haul jobs --sta", 2, "--status"), ("haul jobs --status CANC", 3, "CANCELLED"),
        ("haul completion f", 2, "fish"), ("haul copy --verify ch", 3, "checksum"), ("haul help exi", 2, "exit-codes"),
    ])
    func bashCompletes(line: String, index: Int, word: String) async throws {
        let words = line.split(separator: " ").map { "'\($0)'" }.joined(separator: " ")
        let run = try await shell(
            "/bin/bash",
            "source <(\(HaulRun.program) completion bash); COMP_WORDS=(\(words)); COMP_CWORD=\(index); _haul; "
                + "printf '%s\\n' \"${COMPREPLY[@]}\"")
        #expect(run.output == word + "\n", "\(run.errors)")
    }

    @Test(arguments: [("haul li", "list"), ("haul jobs --status CANC", "CANCELLED"), ("haul copy --sym", "--symlinks")])
    func fishCompletes(line: String, word: String) async throws {
        let run = try await shell(
            "/usr/bin/fish", "\(HaulRun.program) completion fish | source; complete -C '\(line)'")
        #expect(run.output.split(separator: "\n").map { $0.split(separator: "\t")[0] } == [word[...]], "\(run.errors)")
    }

    @Test(arguments: [("haul li", "list"), ("haul jobs --status CANC", "CANCELLED"), ("haul copy --sym", "--symlinks")])
    func zshCompletes(line: String, word: String) async throws {
        // What the completion offers is written down by a compadd in place of the shell's own.
        let run = try await shell(
            "/usr/bin/zsh",
            """
            compdef() { :; }
            compadd() { shift; for one in "$@"; do [[ $one == "$PREFIX"* ]] && print -r -- $one; done; true; }
            words=(\(line)); CURRENT=${#words}; PREFIX=${words[-1]}
            source <(\(HaulRun.program) completion zsh)
            _haul
            """)
        #expect(run.output == word + "\n", "\(run.errors)")
    }

    /// As `make install` puts it: the shell loads the script at the first use, which completes already.
    @Test func zshCompletesOnceItIsLoaded() async throws {
        let run = try await shell(
            "/usr/bin/zsh",
            """
            folder=$(mktemp -d) && fpath=($folder)
            \(HaulRun.program) completion zsh > $folder/_haul
            compdef() { print "not registered again"; }
            compadd() { shift; for one in "$@"; do [[ $one == "$PREFIX"* ]] && print -r -- $one; done; true; }
            words=(haul li); CURRENT=2; PREFIX=li
            autoload -Uz _haul
            _haul
            _haul
            rm -r $folder
            """)
        #expect(run.output == "list\nlist\n", "\(run.errors)")
    }

    private func shell(_ path: String, _ text: String) async throws -> HaulRun {
        let options = path.hasSuffix("bash") ? ["--norc"] : path.hasSuffix("zsh") ? ["-f"] : ["--no-config"]
        let child = try await Child.start(
            Command(
                executable: path, arguments: options + ["-c", text],
                environment: HaulRun.environment(["HOME": "/tmp"]), input: .null, output: .pipe, errors: .pipe))
        return try await HaulRun.finish(child)
    }
}
