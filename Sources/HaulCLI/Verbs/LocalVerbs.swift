import HaulConfig

extension Verb {
    static let version = Verb(name: "version", summary: "print the version", isRemote: false) { invocation in
        await invocation.output.line("haul \(HaulProgram.version)")
        return .ok
    }

    static let help = Verb(
        name: "help", summary: "explain a verb, or the exit codes", operands: "[VERB|exit-codes]", count: 0...1,
        completes: .words(["exit-codes"]), isRemote: false
    ) { invocation in
        guard let topic = invocation.arguments.operands.first else {
            await invocation.output.text(HelpText.overview)
            return .ok
        }
        if topic == "exit-codes" {
            await invocation.output.text(HelpText.exitCodes)
        } else if let verb = HaulProgram.verbs.first(where: { $0.name == topic }) {
            await invocation.output.text(HelpText.of(verb))
        } else {
            let near = NearMiss.of(topic, in: HaulProgram.verbs.map(\.name)).map { "did you mean \($0)?" }
            throw CLIError.usage("there is no help on \(topic)", hint: near ?? "haul help lists the verbs")
        }
        return .ok
    }

    static let completion = Verb(
        name: "completion", summary: "print a completion script", operands: "bash|zsh|fish", count: 1...1,
        completes: .words(["bash", "zsh", "fish"]),
        notes: [
            "bash: source <(haul completion bash)   zsh: source <(haul completion zsh), after compinit",
            "fish: haul completion fish | source",
        ], isRemote: false
    ) { invocation in
        switch invocation.arguments.operands[0] {
        case "bash": await invocation.output.text(Completion.bash)
        case "zsh": await invocation.output.text(Completion.zsh)
        case "fish": await invocation.output.text(Completion.fish)
        case let other: throw CLIError.usage("expected bash, zsh or fish, found \(other)")
        }
        return .ok
    }
}
