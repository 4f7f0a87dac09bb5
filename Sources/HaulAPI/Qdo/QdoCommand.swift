import HaulModel

/// The text of a task: a transfer in words, or anything else, which is kept as it is and never run.
///
///     copy SITE:PATH SITE:PATH [key=value ...]
///     list | remove | mkdir SITE:PATH [key=value ...]
///     rename SITE:PATH [SITE:]PATH [key=value ...]
struct QdoCommand {
    /// What a registration asks for.
    let document: [String: JSONValue]

    /// Keys that are fields of a registration; any other is an option of the transfer.
    private static let fields: Set<String> = [
        "priority", "max_tries", "protocol", "label", "deadline", "max_queue_time", "execution_duration",
    ]

    /// - Parameters:
    ///   - queue: where the job is to be.
    ///   - rules: with the sites that the user may use: words that name no other are no transfer.
    init(_ text: String, queue: String, _ rules: RegistrationRules) {
        var document = Self.transfer(text, rules) ?? ["type": .string(JobType.task.name)]
        document["queue"] = .string(queue)
        document[JobRequest.taskName] = .string(text)
        self.document = document
    }

    private static func transfer(_ text: String, _ rules: RegistrationRules) -> [String: JSONValue]? {
        // What is longer than any task is refused as one.
        guard text.utf8.count <= JobRequest.taskLimit, var words = words(text)?[...], let verb = words.popFirst(),
            let type = JobType.transfers.first(where: { $0.name.lowercased() == verb }),
            let source = words.popFirst().flatMap({ place($0, rules) })
        else { return nil }
        var document: [String: JSONValue] = [
            "type": .string(type.name), "src_siteid": .int(source.siteID), "src_filepath": .string(source.path),
        ]
        if type.hasDestination {
            guard let word = words.popFirst() else { return nil }
            if let target = place(word, rules) {
                guard type == .copy || target.siteID == source.siteID else { return nil }
                document["dst_filepath"] = .string(target.path)
                if type == .copy { document["dst_siteid"] = .int(target.siteID) }
            } else {
                guard type == .rename else { return nil }
                document["dst_filepath"] = .string(word)
            }
        }
        var options: [String: JSONValue] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].wholeMatch(of: #/[a-z][a-z0-9_]*/#) != nil else { return nil }
            let (key, value) = (String(parts[0]), JSONValue.string(String(parts[1])))
            if fields.contains(key) { document[key] = value } else { options[key] = value }
        }
        if !options.isEmpty { document[JobRequest.optionsName] = .object(options) }
        return document
    }

    /// `SITE:PATH` of a site that the user may use, by its name or id.
    private static func place(_ word: String, _ rules: RegistrationRules) -> Job.Place? {
        guard let colon = word.firstIndex(of: ":") else { return nil }
        let name = String(word[..<colon])
        guard let site = rules.sites.site(name), site.access.admits(rules.user) else { return nil }
        return Job.Place(siteID: site.id, path: String(word[word.index(after: colon)...]))
    }

    /// Words as a shell splits them, of which quotes are all that is known; nil where one does not end.
    private static func words(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let ended = word { words.append(ended) }
                word = nil
            } else {
                if word == nil { word = "" }
                word?.append(character)
            }
        }
        if let ended = word { words.append(ended) }
        return quote == nil ? words : nil
    }

    /// The words for a job that was not registered by any: such as ask for the same again. Of what was not committed they
    /// are those that are known yet.
    static func words(for job: Job, _ sites: SiteDirectory) -> String {
        var asked = job.parameters.mapValues(JSONText.plain)
        asked["label"] = job.label
        if job.executionSeconds > 0 { asked["execution_duration"] = "\(job.executionSeconds)" }
        func place(_ site: String, _ path: String) -> String? {
            guard let path = asked[path] else { return nil }
            let name = asked[site].map { (job.isSound ? sites.site($0)?.name : nil) ?? $0 }
            return name.map { "\($0):\(path)" } ?? path
        }
        let type = asked["type"]
        let target = type == JobType.rename.name ? "src_siteid" : "dst_siteid"
        let places = [place("src_siteid", "src_filepath"), place(target, "dst_filepath")]
        // What each has that says nothing of it.
        let usual: [String: String?] = [
            "priority": "\(JobRequest.usualPriority)", "max_tries": "\(JobRequest.usualTries)",
            "protocol": sites[job.source.siteID]?.protocolName.name,
        ]
        let given = fields.sorted().compactMap { name in
            asked[name].flatMap { $0 == usual[name] ?? nil ? nil : "\(name)=\($0)" }
        }
        let options = (job.parameters[JobRequest.optionsName]?.object ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key)=\(JSONText.plain($0.value))" }
        return (([type?.lowercased()] + places).compactMap(\.self) + options + given).map(quoted)
            .joined(separator: " ")
    }

    private static func quoted(_ word: String) -> String {
        let isPlain = !word.contains { $0.isWhitespace || $0 == "'" || $0 == "\"" }
        if isPlain { return word }
        return "'" + word.replacing("'", with: "'\"'\"'") + "'"
    }
}
