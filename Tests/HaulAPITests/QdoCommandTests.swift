import HaulModel
import Testing

@testable import HaulAPI

/// Which texts of tasks are transfers, and that all others stay what they are.
@Suite struct QdoCommandTests {
    private let rules: RegistrationRules = {
        var closed = Site(id: 3, name: "closed", protocolName: .ssh, endpoints: [])
        closed.access = SiteAccess(users: ["bob"], groups: nil)
        let sites = [
            Site(id: 1, name: "a", protocolName: .ssh, endpoints: []),
            Site(id: 2, name: "b", protocolName: .ssh, endpoints: []), closed,
        ]
        return RegistrationRules(sites: SiteDirectory(sites)) { _ in CommonOptions.specs }.applied(
            to: SiteUser(name: "alice", groups: [], isOperator: false))
    }()

    private func request(_ text: String) throws -> JobRequest {
        try JobRequest(JobDraft(document: QdoCommand(text, queue: "q", rules).document), rules: rules)
    }

    @Test func transfers() throws {
        let copy = try request("copy a:/x 2:'/y z' overwrite=always depth=3 priority=1  max_tries=4 odd=\"a b\"")
        #expect(copy.type == .copy && copy.source == .init(siteID: 1, path: "/x"))
        #expect(copy.destination == .init(siteID: 2, path: "/y z") && copy.priority == 1 && copy.maxTries == 4)
        #expect(copy.options == ["overwrite": "always", "depth": 3, "odd": "a b"] && copy.queue == "q")
        #expect(copy.task == "copy a:/x 2:'/y z' overwrite=always depth=3 priority=1  max_tries=4 odd=\"a b\"")
        #expect(try request("list a:~/x:y").source.path == "~/x:y")
        #expect(try request("rename a:/x /y").destination == .init(siteID: 1, path: "/y"))
        #expect(try request("rename a:/x a:/y").destination == .init(siteID: 1, path: "/y"))
        #expect(try request("mkdir b:/x\n").type == .mkdir)
        #expect(try request("remove b:/x").type == .remove)
    }

    /// Keys that are fields of a registration are no options: those that README.md names.
    @Test func fields() throws {
        let list = try request(
            "list a:/x priority=1 max_tries=4 protocol=ssh label=l deadline=2090-01-01T00:00:00Z max_queue_time=60"
                + " execution_duration=5")
        #expect(list.options.isEmpty && list.priority == 1 && list.maxTries == 4 && list.label == "l")
        #expect(list.maxQueueTime == 60 && list.executionSeconds == 5 && list.deadline?.text.hasPrefix("2090") == true)
    }

    /// Anything else is a text, and stays as it was, to the last byte.
    @Test(arguments: [
        "./run.sh 1", "copy", "copy a:/x", "copy a:/x b:/y c:/z", "copy x:/x b:/y", "copy a:/x closed:/y",
        "copy a:/x 'b:/y",
        "COPY a:/x b:/y", "copy a:/x /y", "rename a:/x b:/y", "list a:/x -l", "list a:/x =1", "list a:/x Depth=1",
        "copy a:/x b:/y; rm -rf /", "list", "task a:/x", " ", "\u{0}", "#!/bin/sh\nlist a:/x\n", "\u{202E}\u{1F600}é",
    ])
    func texts(text: String) throws {
        let request = try request(text)
        #expect(request.type == .task && request.task == text && request.source == .nowhere)
    }

    /// What names sites of haul's is meant for haul: what is wrong in it is said.
    @Test(arguments: [
        "list a:/x depth=many", "copy a:/x a:/x", "remove a:/", "list a:/x priority=10", "rename a:/x /x/y",
        "list a:/\u{1}", "",
    ])
    func wrong(text: String) {
        #expect(throws: FieldProblems.self) { try request(text) }
    }

    @Test func longTexts() throws {
        #expect(try request(String(repeating: "x", count: JobRequest.taskLimit - 2)).type == .task)
        for text in [String(repeating: "x", count: JobRequest.taskLimit), String(repeating: "\u{1}", count: 20_000)] {
            #expect(throws: FieldProblems.self) { try request(text) }
        }
        // A word of as much as a body holds is no work.
        let long = "list " + String(repeating: "x", count: 8 << 20)
        let time = ContinuousClock().measure { #expect(throws: FieldProblems.self) { try request(long) } }
        #expect(time < .seconds(5), "\(time)")
    }

    /// A job that was not registered in words is shown in words that ask for the same again.
    @Test(arguments: [
        "copy a:/x b:/y", "list a:'/it'\"'\"'s here'", "rename a:/x a:/y", "mkdir a:'/x \"y\"'",
        "copy a:/x b:/y overwrite=always verify=checksum", "list a:/x depth=0 'odd=a b'",
        "copy a:/x b:/y execution_duration=5 'label=of alice' max_tries=4 priority=9",
    ])
    func words(text: String) throws {
        let first = try request(text)
        var job = Job(
            id: 1, userID: 1, queue: "q", type: first.type, protocolName: .ssh, status: .submitted,
            source: first.source, destination: first.destination, options: first.options, priority: first.priority,
            maxTries: first.maxTries, label: first.label, logUID: "", registered: Timestamp(milliseconds: 0),
            changed: Timestamp(milliseconds: 0), counts: StatusCounts())
        job.executionSeconds = first.executionSeconds ?? 0
        let words = QdoCommand.words(for: job, rules.sites)
        var again = try request(words)
        again.task = first.task
        #expect(again == first, "\(words)")
        // What is usual is not said.
        #expect(words.split(separator: " ").count == text.split(separator: " ").count, "\(words)")
    }

    /// Of what was not committed there are the words that are known, whatever they are.
    @Test(
        arguments: [
            (["type": "COPY", "src_siteid": "a", "src_filepath": "/x", "overwrite": "?"], "copy a:/x"),
            (["src_siteid": 3, "src_filepath": "/x"], "3:/x"), ([:], ""),
            (["type": "LIST", "src_siteid": "a"], "list"),
            (["type": "MOVE", "dst_siteid": "a b", "dst_filepath": "/y"], "move 'a b:/y'"),
            (["type": "LIST", "priority": "many", "extra_opts": ["depth": [1]]], "list depth=[1] priority=many"),
        ] as [([String: JSONValue], String)])
    func wordsOfDrafts(document: [String: JSONValue], words: String) {
        var job = Job(
            id: 1, userID: 1, queue: "q", type: .list, protocolName: .ssh, status: .new,
            source: .init(siteID: 0, path: ""), destination: nil, options: [:], priority: 5, maxTries: 2, label: nil,
            logUID: "", registered: Timestamp(milliseconds: 0), changed: Timestamp(milliseconds: 0),
            counts: StatusCounts())
        job.isSound = false
        job.draft = JobDraft(document: document)
        #expect(QdoCommand.words(for: job, rules.sites) == words)
    }
}
