import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// `GET /jobs`, `/jobs/J`, `/jobs/J/elements`, `/jobs/J/elements/E`, and the two `status`.
@Suite(.server()) struct JobListTests {
    /// GET /jobs, 200: an empty array, then the documented fields with the counts.
    @Test func jobs() async throws {
        let person = try await newPerson()
        let none = try await person.user.get("/jobs")
        #expect(none.status == 200 && none.text == "[]")
        #expect(none.headers["Content-Type"] == "application/json")
        let id = try await person.copy("~/file1.txt", "~/file2.txt", ["label": "mine"])
        let answer = try await person.user.get("/jobs")
        let job = try #require(answer[0])
        #expect(answer.json.array?.count == 1)
        #expect(
            job.keys == [
                "id", "user_id", "src_siteid", "dst_siteid", "src_filepath", "dst_filepath", "type", "status",
                "extra_opts", "priority", "protocol", "log_uid", "timestamp", "queue", "max_tries", "label",
                "num_elements", "num_new", "num_done", "num_failed", "num_submitted", "num_running", "num_cancelled",
            ])
        #expect(job["id"]?.int == id && job["num_elements"] == 1 && job["num_new"] == 1 && job["type"] == "COPY")
        #expect(try await person.user.get("/jobs/\(id)").json == job)
    }

    /// GET /jobs/J and everything below it, 404: no job with that id.
    @Test(arguments: [
        "", "/status", "/output", "/elements/0", "/elements/0/status", "/elements/0/output", "/elements/0/output/1",
    ])
    func noSuchJob(rest: String) async throws {
        let person = try await newPerson()
        let stranger = try await newPerson()
        let id = try await person.list("/x")
        for (caller, job) in [
            (person.user, "999999"), (person.user, "0"), (person.user, "-1"), (person.user, "1e3"),
            (person.user, "99999999999999999999"), (stranger.user, "\(id)"),
        ] {
            let answer = try await caller.get("/jobs/\(job)\(rest)")
            #expect(answer.status == 404, "\(job) \(answer)")
            #expect(answer.headers["Content-Type"] == "application/problem+json")
            #expect(answer["code"]?.string?.hasPrefix("no_such_") == true)
        }
    }

    /// GET .../elements/E, .../status, .../output, .../output/N, 404: no element with that id.
    @Test(arguments: ["", "/status", "/output", "/output/1"])
    func noSuchElement(rest: String) async throws {
        let person = try await newPerson()
        let id = try await person.list("/x")
        for element in ["1", "-1", "77777777777", "x"] {
            #expect(try await person.user.get("/jobs/\(id)/elements/\(element)\(rest)").status == 404)
        }
    }

    /// GET /jobs/J/elements, 200: `[]` for no job, and for someone else's.
    @Test func elementsOfNoJob() async throws {
        let person = try await newPerson()
        let stranger = try await newPerson()
        let id = try await person.list("/x")
        for answer in [
            try await person.user.get("/jobs/999999/elements"), try await stranger.user.get("/jobs/\(id)/elements"),
        ] {
            #expect(answer.status == 200 && answer.text == "[]" && answer.headers["Content-Type"] == "application/json")
        }
    }

    /// GET /jobs/J/elements and .../elements/E, 200: the documented fields, the listing once there is one.
    @Test func elements() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/root")
        let fresh = try await person.user.get("/jobs/\(id)/elements/0")
        let documented: Set<String> = [
            "id", "job_id", "src_filepath", "size", "max_tries", "attempts", "type", "status", "timestamp",
        ]
        #expect(fresh.status == 200 && fresh.json.keys == documented, "\(fresh)")
        #expect(fresh["status"] == "NEW" && fresh["size"] == 0 && fresh["attempts"] == 0 && fresh["id"] == 0)
        let held = try await worker.takeOne()
        #expect(try await person.user.get("/jobs/\(id)/elements/0")["status"] == "SUBMITTED")
        try await worker.finish(
            held,
            ["listing": ["/root": [entry("file1", size: 7), entry("sub", isDirectory: true)], "/root/sub": []]])
        let done = try await person.user.get("/jobs/\(id)/elements/0")
        #expect(done.json.keys == documented.union(["listing"]))
        #expect(done["status"] == "DONE" && done["attempts"] == 1 && done["job_id"]?.int == id)
        #expect(done["listing"] == [["/root": ["file1", "sub/"], "/root/sub": []]])
        let all = try await person.user.get("/jobs/\(id)/elements")
        #expect(all.json == .array([done.json]))
        let long = try await person.user.get("/jobs/\(id)/elements/0?listing=long")
        #expect(
            long["listing"]?[0]?["/root"]?[0] == [
                "name": "file1", "type": "file", "size": 7, "mode": 0o100644, "mtime": 1_700_000_000,
            ])
        #expect(long["listing"]?[0]?["/root"]?[1]?["type"] == "directory")
        for path in ["/elements?listing=none", "/elements/0?listing=none"] {
            let answer = try await person.user.get("/jobs/\(id)\(path)")
            #expect(answer.status == 200 && !answer.text.contains("file1"))
        }
        #expect(try await person.user.get("/jobs/\(id)/elements?listing=all").status == 400)
    }

    /// Elements: `?status=&after=&limit=`, and a COPY's documented fields.
    @Test func elementFilters() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.copy("/s", "/d")
        let files = (0..<7).map { entry("f\($0)", size: $0) }
        try await worker.finish(try await worker.takeOne(), ["listing": ["/s": .array(files)]])
        try await eventually("expansion") { try await person.user.get("/jobs/\(id)")["num_elements"] == 8 }
        func ids(_ query: String) async throws -> [Int] {
            let answer = try await person.user.get("/jobs/\(id)/elements\(query)")
            #expect(answer.status == 200, "\(answer)")
            return (answer.json.array ?? []).compactMap { $0["id"]?.int }
        }
        #expect(try await ids("") == Array(0...7))
        #expect(try await ids("?after=5") == [6, 7])
        #expect(try await ids("?after=-1&limit=2") == [0, 1])
        #expect(try await ids("?limit=0") == [])
        #expect(try await ids("?status=done") == [0])
        #expect(try await ids("?status=0&limit=3") == [1, 2, 3])
        #expect(try await ids("?status=CANCELLED") == [])
        let held = try await worker.take(2)
        #expect(try await ids("?status=SUBMITTED") == [1, 2])
        try await worker.report(held[0], 1, ["error_class": "permission", "reason": "no"])
        #expect(try await ids("?status=FAILED") == [1])
        let failed = try await person.user.get("/jobs/\(id)/elements/1")
        #expect(failed["error_class"] == "permission" && failed["reason"] == "no")
        #expect(failed["src_filepath"] == "/s/f0" && failed["dst_filepath"] == "/d/f0" && failed["type"] == "COPY")
        for query in ["?status=perhaps", "?after=x", "?limit=-1", "?after=-2"] {
            #expect(try await person.user.get("/jobs/\(id)/elements\(query)").status == 400, "\(query)")
        }
    }

    /// GET /jobs/J/status and .../elements/E/status, 200.
    @Test func statuses() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/x", ["max_tries": 1])
        #expect(try await person.user.get("/jobs/\(id)/status").json == ["jobid": .int(id), "status": "SUBMITTED"])
        let path = "/jobs/\(id)/elements/0/status"
        let unknown: JSONValue = [
            "jobid": .int(id), "elementid": 0, "status": "NEW", "attempts": 0, "transferred": "N/A", "instant": "N/A",
            "average": "N/A", "elapsed": "N/A",
        ]
        #expect(try await person.user.get(path).json == unknown)
        let held = try await worker.takeOne()
        #expect(try await person.user.get(path)["status"] == "SUBMITTED")
        let progress: JSONValue = ["transferred": 10, "elapsed": 2.5, "instant": 4, "average": 4.25]
        let taken = try await worker.caller.with(held.token).put(held.path + "/monitoring", progress)
        #expect(taken.status == 200)
        let running = try await person.user.get(path)
        #expect(running["status"] == "RUNNING" && running["transferred"] == 10 && running["elapsed"] == 2.5)
        #expect(running["instant"] == 4 && running["average"] == 4.25)
        #expect(try await person.status(id) == "RUNNING")
        try await worker.report(held, 1, ["error_class": "not_found"])
        #expect(try await person.status(id) == "FAILED")
        #expect(try await person.user.get(path)["attempts"] == 1)
    }

    /// `?status=&type=&queue=&site=&since=&limit=&after=`; no parameter means all.
    @Test func jobFilters() async throws {
        let person = try await newPerson()
        let list = try await person.list("/a")
        let copy = try await person.copy("/b", "/c", ["queue": "night"])
        let remove = try await person.remove("/d", ["src_siteid": 12])
        func ids(_ query: String) async throws -> [Int] {
            let answer = try await person.user.get("/jobs\(query)")
            #expect(answer.status == 200, "\(query) \(answer)")
            return (answer.json.array ?? []).compactMap { $0["id"]?.int }
        }
        #expect(try await ids("") == [list, copy, remove])
        #expect(try await ids("?status=&type=&queue=&site=&since=&limit=&after=") == [list, copy, remove])
        #expect(try await ids("?type=COPY") == [copy])
        #expect(try await ids("?type=2") == [remove])
        #expect(try await ids("?queue=night") == [copy])
        #expect(try await ids("?queue=nothing") == [])
        #expect(try await ids("?site=2") == [copy], "the destination counts")
        #expect(try await ids("?site=gridftp-12") == [remove])
        #expect(try await ids("?status=submitted&site=1") == [list, copy])
        #expect(try await ids("?status=DONE") == [])
        #expect(try await ids("?limit=1") == [list])
        #expect(try await ids("?after=\(list)&limit=1") == [copy])
        #expect(try await ids("?limit=0") == [])
        #expect(try await ids("?unknown=1") == [list, copy, remove])
        let changed = try #require(try await person.user.get("/jobs/\(copy)")["timestamp"]?.string)
        #expect(try await ids("?since=\(changed)").contains(copy))
        #expect(try await ids("?since=2099-01-01T00:00:00Z") == [])
        for time in ["2012-03-21T13:35", "2012-03-21T13:35:00Z", "2012-03-21T13:35:00-05:00", "0", "2012-03-21"] {
            #expect(try await ids("?since=\(time)") == [list, copy, remove], "\(time)")
        }
        for query in [
            "?status=odd", "?type=9", "?site=99", "?since=yesterday", "?since=1e99", "?limit=x", "?limit=-1",
            "?after=-1", "?limit=99999999999999999999",
        ] {
            let answer = try await person.user.get("/jobs\(query)")
            #expect(answer.status == 400 && answer["fields"]?.keys.count == 1, "\(query) \(answer)")
        }
    }

    /// `?stage=&registered_after=&last=`.
    @Test func stagesAndTheNewest() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let first = try await person.mkdir("/a")
        let held = try await worker.takeOne()
        let second = try await person.list("/b")
        let third = try #require(try await person.user.post("/drafts", ["type": "list"])["id"]?.int)
        let all = [first, second, third]
        func ids(_ query: String) async throws -> [Int] {
            let answer = try await person.user.get("/jobs\(query)")
            #expect(answer.status == 200, "\(query) \(answer)")
            return (answer.json.array ?? []).compactMap { $0["id"]?.int }
        }
        #expect(try await ids("?stage=executing") == [first])
        #expect(try await ids("?stage=waiting,uncommitted") == [second, third])
        #expect(try await ids("?stage=done,failed,cancelled") == [])
        try await worker.finish(held)
        #expect(try await ids("?stage=done,waiting") == [first, second])
        #expect(try await ids("?last=2") == [third, second])
        #expect(try await ids("?last=9&after=\(third)&type=LIST") == [second])
        #expect(try await ids("?last=2&limit=1") == [third])
        #expect(try await ids("?last=1&stage=waiting,done") == [second])
        let time = try #require(try await person.user.get("/jobs/\(second)")["timestamp"]?.string)
        let later = try await ids("?registered_after=\(time)")
        #expect([[third], []].contains(later), "two may be of the same millisecond")
        #expect(try await ids("?registered_after=2012-03-21") == all)
        #expect(try await ids("?stage=&last=&registered_after=") == all)
        try await eventually("another millisecond") {
            Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000)).text > time
        }
        let fourth = try await person.mkdir("/c")
        #expect(try await ids("?registered_after=\(time)") == later + [fourth])
        #expect(try await ids("?registered_after=\(time)&stage=waiting&last=9") == [fourth])
        for query in ["?stage=odd", "?stage=done,", "?last=0", "?last=-1", "?last=x", "?registered_after=soon"] {
            let answer = try await person.user.get("/jobs\(query)")
            #expect(answer.status == 400 && answer["fields"]?.keys.count == 1, "\(query) \(answer)")
        }
    }

    /// `?ended_since=&place=&error_class=&returncode=`, and `count=1`.
    @Test func endsPlacesAndHowMany() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let done = try await person.mkdir("/a")
        try await worker.finish(try await worker.takeOne())
        let failed = try await person.list("/b", ["max_tries": 1])
        try await worker.report(try await worker.takeOne(), 7, ["error_class": "permission"])
        let lost = try await person.list("/c", ["max_tries": 1])
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "lost"])
        let cancelled = try await person.list("/d")
        #expect(try await person.user.send("DELETE", "/jobs/\(cancelled)").status == 200)
        let copy = try await person.copy("/e", "/f")
        let task = try #require(try await person.user.post("/task", ["task": "x"])["id"]?.int)
        let all = [done, failed, lost, cancelled, copy, task]
        func ids(_ query: String) async throws -> [Int] {
            let answer = try await person.user.get("/jobs\(query)")
            #expect(answer.status == 200, "\(query) \(answer)")
            let found = (answer.json.array ?? []).compactMap { $0["id"]?.int }
            let count = try await person.user.get("/jobs\(query)&count=1&limit=1")
            #expect(count.json == ["count": .int(found.count), "complete": true], "\(query) \(count)")
            return found
        }
        let waiting = [copy, task]
        #expect(try await ids("?ended_since=2012-03-21") == all)
        #expect(try await ids("?ended_since=2099-01-01T00:00Z") == waiting)
        let end = try #require(try await person.user.get("/jobs/\(lost)")["ended"]?.string)
        #expect(try await ids("?ended_since=\(end)").suffix(4) == [lost, cancelled] + waiting)
        #expect(try await ids("?place=1") == [done, failed, lost, cancelled])
        #expect(try await ids("?place=ssh-b&stage=waiting") == [copy])
        #expect(try await ids("?place=none") == [task])
        #expect(try await ids("?place=4711") == [], "one that is gone")
        #expect(try await ids("?error_class=permission") == [failed])
        #expect(try await ids("?error_class=lost,permission&ended_since=2012-03-21") == [failed, lost])
        #expect(try await ids("?error_class=permission&stage=done,waiting") == [])
        #expect(try await ids("?error_class=not_found") == [])
        #expect(try await ids("?returncode=0") == [done])
        #expect(try await ids("?returncode=7") == [failed])
        #expect(try await ids("?returncode=1") == [lost, cancelled])
        #expect(try await ids("?returncode=1&stage=failed,waiting&last=9") == [lost])
        #expect(try await ids("?returncode=-3") == [])
        for query in [
            "?ended_since=soon", "?place=nowhere-else", "?place=-1", "?place=0", "?error_class=odd",
            "?error_class=lost,", "?returncode=x", "?count=2",
        ] {
            let answer = try await person.user.get("/jobs\(query)")
            #expect(answer.status == 400 && answer["fields"]?.keys.count == 1, "\(query) \(answer)")
        }
    }

    /// JSON, or NDJSON where `Accept` asks for it; never 406.
    @Test func accept() async throws {
        let person = try await newPerson()
        let ids = [try await person.list("/a"), try await person.list("/b")]
        for path in ["/jobs", "/jobs/\(ids[0])/elements"] {
            let lines = try await person.user.get(path, headers: ["Accept": "application/x-ndjson"])
            #expect(lines.headers["Content-Type"] == "application/x-ndjson")
            #expect(lines.lines.count == (path == "/jobs" ? 2 : 1) && lines.lines.allSatisfy { $0.object != nil })
            #expect(lines.text.hasSuffix("\n"))
            for accept in ["text/html", "image/png;q=1", "", "*/*", "application/json"] {
                let answer = try await person.user.get(path, headers: ["Accept": accept])
                #expect(answer.status == 200 && answer.json.array != nil, "\(accept)")
            }
        }
    }
}
