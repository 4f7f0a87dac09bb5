import HaulModel
import Testing

@Suite("Registrations are checked, every wrong field by name")
struct JobRequestTests {
    private let rules = RegistrationRules(
        sites: SiteDirectory([
            Site(id: 1, name: "a", protocolName: .ssh, endpoints: [], root: "/srv/a"),
            Site(id: 2, name: "b", protocolName: .ssh, endpoints: []),
            Site(id: 12, name: "g", protocolName: .gridftp, endpoints: []),
        ]), options: { _ in CommonOptions.specs })

    private func request(_ document: [String: JSONValue], _ type: JobType? = nil) throws -> JobRequest {
        try JobRequest(document, type: type, rules: rules)
    }

    private func problems(_ document: [String: JSONValue], _ type: JobType? = nil) -> [String] {
        do {
            _ = try JobRequest(document, type: type, rules: rules)
            return []
        } catch {
            return error.fields.keys.sorted()
        }
    }

    @Test("the documented request and its defaults")
    func documented() throws {
        let job = try request(["src_siteid": 12, "src_filepath": "somefile", "type": "0"])
        #expect(job.type == .list)
        #expect(job.priority == 5)
        #expect(job.maxTries == 2)
        #expect(job.protocolName == .gridftp)
        #expect(job.options.isEmpty)
        #expect(job.destination == nil)
    }

    @Test(
        "types as integer, text of digits, name in any case",
        arguments: [1, "1", "COPY", "copy", "Copy"] as [JSONValue])
    func types(_ type: JSONValue) throws {
        let job = try request([
            "type": type, "src_siteid": "1", "dst_siteid": "b", "src_filepath": "/x", "dst_filepath": "/y",
            "protocol": "1",
        ])
        #expect(job.type == .copy)
        #expect(job.destination == Job.Place(siteID: 2, path: "/y"))
        #expect(job.protocolName == .ssh)
    }

    @Test("what is missing or wrong is named, all of it")
    func names() {
        #expect(problems([:]) == ["src_filepath", "src_siteid", "type"])
        #expect(problems([:], .copy) == ["dst_filepath", "dst_siteid", "src_filepath", "src_siteid"])
        #expect(problems(["src_siteid": 1, "src_filepath": "x"], .rename) == ["dst_filepath"])
        #expect(problems(["type": 9, "src_siteid": 99, "src_filepath": ""]) == ["src_filepath", "src_siteid", "type"])
        #expect(
            problems(
                [
                    "src_siteid": [1], "src_filepath": 5, "priority": 10, "max_tries": 0, "extra_opts": [],
                    "protocol": 7,
                    "queue": "", "label": "\n",
                ], .list) == [
                    "extra_opts", "label", "max_tries", "priority", "protocol", "queue", "src_filepath", "src_siteid",
                ])
        #expect(
            problems(["src_siteid": 1, "src_filepath": "x", "extra_opts": ["depth": "deep"]], .list) == [
                "extra_opts.depth"
            ])
        #expect(problems(["src_siteid": 1, "src_filepath": "x", "max_tries": 101], .list) == ["max_tries"])
        #expect(problems(["src_siteid": 1, "src_filepath": "x", "priority": 1.5], .list) == ["priority"])
    }

    @Test("null counts as missing, foreign and unknown fields as nothing")
    func foreign() throws {
        let job = try request(
            [
                "src_siteid": 1, "src_filepath": "x", "protocol": .null, "priority": .null, "id": 7, "status": "DONE",
                "user_id": 9, "log_uid": "x", "attempts": 3, "dst_siteid": 77, "extra_opts": ["mystery": [1]],
            ], .list)
        #expect(job.destination == nil)
        #expect(job.options == ["mystery": [1]])
    }

    @Test("a source that is its own destination")
    func itself() {
        let same: [String: JSONValue] = [
            "src_siteid": 1, "dst_siteid": 1, "src_filepath": "x", "dst_filepath": "~/./x/",
        ]
        #expect(problems(same, .copy) == ["dst_filepath"])
        #expect(problems(same, .rename) == ["dst_filepath"])
        #expect(problems(same.merging(["dst_siteid": 2]) { _, new in new }, .copy).isEmpty)
    }

    @Test("a directory does not go into itself; a copy of it may", arguments: ["/x/y", "/x/./y/", "/x/y/../z"])
    func intoItself(_ path: String) {
        let inside: [String: JSONValue] = [
            "src_siteid": 1, "dst_siteid": 1, "src_filepath": "/x", "dst_filepath": .string(path),
        ]
        #expect(problems(inside, .rename) == ["dst_filepath"])
        #expect(problems(inside, .copy).isEmpty)
        #expect(problems(inside.merging(["src_filepath": "/x/"]) { _, new in new }, .rename) == ["dst_filepath"])
        #expect(problems(inside.merging(["dst_filepath": "/xy"]) { _, new in new }, .rename).isEmpty)
        #expect(problems(inside.merging(["src_filepath": "/x/y/z/w"]) { _, new in new }, .rename).isEmpty)
    }

    @Test("RENAME stays at its site")
    func rename() throws {
        let job = try request(["src_siteid": 1, "dst_siteid": 2, "src_filepath": "/x", "dst_filepath": "/y"], .rename)
        #expect(job.destination == Job.Place(siteID: 1, path: "/y"))
    }

    @Test(
        "REMOVE of the root of a site wants a confirmation",
        arguments: ["/", "~", "/srv/a", "/srv/a/", "/srv", "/srv/b"])
    func root(_ path: String) {
        let fields: [String: JSONValue] = ["src_siteid": 1, "src_filepath": .string(path)]
        let isRoot = path != "/srv/b"
        #expect(problems(fields, .remove) == (isRoot ? ["src_filepath"] : []))
        #expect(problems(fields.merging(["extra_opts": ["confirm": true]]) { _, new in new }, .remove).isEmpty)
        #expect(problems(fields, .list).isEmpty)
    }
}
