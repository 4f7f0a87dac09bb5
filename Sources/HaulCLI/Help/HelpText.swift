/// The help, made from the verbs.
enum HelpText {
    static var overview: String {
        let verbs = HaulProgram.verbs.map { "  " + Columns.pad($0.name, to: 12) + $0.summary }.joined(separator: "\n")
        return """
            haul registers file transfers with a haul server, and follows them.

            usage: haul VERB [OPTIONS] [ARGUMENTS]

            \(verbs)

            haul help VERB explains a verb, haul help exit-codes what the exit codes mean.
            A place is SITE:PATH, with a site's name or id: ssh-a:/data/file, 12:~/file.
            The server is --url, HAUL_URL, or url in ~/.config/haul/config.json5; the token is in the file of --token-file,
            in HAUL_TOKEN or HAUL_TOKEN_FILE, or in the config file as token_file or token.

            """
    }

    static func of(_ verb: Verb) -> String {
        var text = "haul \(verb.name): \(verb.summary)\n\nusage: haul \(verb.name) [OPTIONS]"
        text += (verb.operands.isEmpty ? "" : " " + verb.operands) + "\n"
        for options in [verb.options, verb.allOptions.filter { one in !verb.options.contains { $0.name == one.name } }]
        {
            if !options.isEmpty { text += "\n" + list(options) }
        }
        for note in verb.notes { text += "\n" + note + "\n" }
        return text
    }

    static var exitCodes: String {
        ExitCode.allCases.map { Columns.pad("\($0.rawValue)", to: 5) + $0.meaning + "\n" }.joined()
    }

    private static func list(_ options: [OptionSpec]) -> String {
        options.map { option in
            let usage = "  " + option.usage
            let gap = usage.count < 34 ? Columns.pad(usage, to: 34) : usage + "\n" + String(repeating: " ", count: 34)
            return gap + option.help + "\n"
        }.joined()
    }
}
