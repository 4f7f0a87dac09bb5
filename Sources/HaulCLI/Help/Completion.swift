/// Completion scripts, made from the verbs like the help. Job ids come from `haul jobs`, 50 of them within 2 s.
enum Completion {
    private static let jobs = "timeout 2 haul jobs --limit 50 2>/dev/null | cut -f1"

    private static var names: String { HaulProgram.verbs.map(\.name).joined(separator: " ") }

    static var bash: String {
        """
        _haul() {
            local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" verb="${COMP_WORDS[1]}"
            COMPREPLY=()
            if [ "$COMP_CWORD" -eq 1 ]; then
                COMPREPLY=($(compgen -W "\(names)" -- "$cur"))
                return
            fi
            case "$verb $prev" in
        \(values { "COMPREPLY=($(compgen -W \"\($0)\" -- \"$cur\")); return" } file: { "COMPREPLY=($(compgen -f -- \"$cur\")); return" })
            esac
            case "$verb" in
        \(words { "COMPREPLY=($(compgen -W \"\($0)\" -- \"$cur\"))" })
            esac
        }
        complete -F _haul haul

        """
    }

    static var zsh: String {
        """
        #compdef haul
        _haul() {
            local cur="$PREFIX" verb="${words[2]}" prev="${words[CURRENT-1]}"
            if (( CURRENT == 2 )); then
                compadd -- \(names)
                return
            fi
            case "$verb $prev" in
        \(values { "compadd -- \($0); return" } file: { "_files; return" })
            esac
            case "$verb" in
        \(words { "compadd -- \($0)" })
            esac
        }
        # Loaded by the shell itself, this is the first completion.
        if [[ "${funcstack[1]}" == _haul ]]; then _haul "$@"; else compdef _haul haul; fi

        """
    }

    static var fish: String {
        var lines = ["complete -c haul -f"]
        for verb in HaulProgram.verbs {
            lines.append("complete -c haul -n __fish_use_subcommand -a \(verb.name) -d \(quoted(verb.summary))")
            let here = "complete -c haul -n '__fish_seen_subcommand_from \(verb.name)'"
            for option in verb.allOptions {
                let short = option.short.map { " -s \($0)" } ?? ""
                let value: String =
                    switch option.value {
                    case nil: ""
                    case .some(let value) where value.isFile: " -r -F"
                    case .some(let value) where value.choices.isEmpty: " -x"
                    case .some(let value): " -x -a '\(value.choices.joined(separator: " "))'"
                    }
                lines.append("\(here) -l \(option.name)\(short)\(value) -d \(quoted(option.help))")
            }
            switch verb.completes {
            case .nothing: break
            case .job: lines.append("\(here) -a '(\(jobs))'")
            case .words(let words): lines.append("\(here) -a '\((words + extra(verb)).joined(separator: " "))'")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A case for each option that takes one of some values, or a file.
    private static func values(_ offer: (String) -> String, file: () -> String) -> String {
        var lines: [String] = []
        for verb in HaulProgram.verbs {
            for option in verb.allOptions {
                guard let value = option.value else { continue }
                let names = ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
                let pattern = names.map { "\"\(verb.name) \($0)\"" }.joined(separator: "|")
                let action =
                    value.isFile
                    ? file() : value.choices.isEmpty ? "return" : offer(value.choices.joined(separator: " "))
                lines.append("        \(pattern)) \(action) ;;")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// A case for each verb: its options, or what its operands may be.
    private static func words(_ offer: (String) -> String) -> String {
        HaulProgram.verbs.map { verb in
            let options = verb.allOptions.map { "--\($0.name)" }.joined(separator: " ")
            let operands: String =
                switch verb.completes {
                case .nothing: ""
                case .job: "$(\(jobs))"
                case .words(let words): (words + extra(verb)).joined(separator: " ")
                }
            guard !operands.isEmpty else { return "        \(verb.name)) \(offer(options)) ;;" }
            return """
                        \(verb.name))
                            case "$cur" in
                                -*) \(offer(options)) ;;
                                *) \(offer(operands)) ;;
                            esac ;;
                """
        }.joined(separator: "\n")
    }

    private static func extra(_ verb: Verb) -> [String] { verb.name == "help" ? HaulProgram.verbs.map(\.name) : [] }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
