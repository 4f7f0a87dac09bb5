import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Jobs of the UWS face, from their making to their end: what each request answers, and what the native API sees of it.
@Suite(.server(), .timeLimit(.minutes(6))) struct UWSJobTests {
    private func client() async throws -> (Person, UWSClient) {
        let person = try await newPerson()
        return (person, UWSClient(person.user))
    }

    /// Once something has ended, a job that waits or runs quotes when it will have; before it is committed, and after its
    /// end, it quotes nothing.
    @Test func quotes() async throws {
        let (person, client) = try await client()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("/first")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/first": []]])
        let job = try await client.make("list", ["src_siteid": "1", "src_filepath": "/d"])
        #expect(try await client.get(job + "/quote").text == "")
        #expect(try await client.get(job).element("quote") == nil)
        try await client.post(job + "/phase", ["PHASE": "RUN"])
        func expectQuote(_ text: String?) throws {
            let quote = try #require(Timestamp(text: text ?? ""), "\(text ?? "none")")
            #expect(abs(Double(quote.milliseconds) / 1000 - Date().timeIntervalSince1970) < 600, "\(quote)")
        }
        try expectQuote(try await client.get(job + "/quote").text)
        let held = try await worker.takeOne()
        try expectQuote(try await client.get(job).element("quote"))
        try await worker.finish(held, ["listing": ["/d": []]])
        #expect(try await client.phase(job) == "COMPLETED")
        #expect(try await client.get(job + "/quote").text == "")
    }

    @Test func wholeLife() async throws {
        let (person, client) = try await client()
        let job = try await client.make(
            "copy",
            [
                "SRC_SITEID": "1", "src_filepath": "/d", "Dst_SiteID": "ssh-b", "dst_filepath": "/e", "RunId": "run 7",
                "VERIFY": "none", "odd": "<&>", "priority": "2",
            ])
        let id = String(job.dropFirst("/copy/".count))
        #expect(try await client.phase(job) == "PENDING")
        #expect(try await person.user.get("/jobs/\(id)")["status"] == "NEW")
        #expect(try await client.get(job + "/owner").text == person.name)
        for part in ["quote", "destruction"] { #expect(try await client.get("\(job)/\(part)").text == "") }
        #expect(try await client.get(job + "/executionduration").text == "0")
        #expect(try await client.get(job + "/error").status == 404)
        // Each part can be changed, on its own or on the job itself, names in any case.
        let url = client.server.url + "/uws" + job
        #expect(try await client.post(job + "/parameters", ["src_filepath": "/f", "ODD": "2"]) == url)
        #expect(try await client.post(job, ["executionduration": "60", "Destruction": "2040-01-02 03:04"]) == url)
        #expect(try await client.send("PUT", job + "/parameters/PRIORITY", body: Array("3".utf8)).status == 303)
        #expect(try await client.get(job + "/executionduration").text == "60")
        #expect(try await client.get(job + "/destruction").text == "2040-01-02T03:04:00.000Z")
        #expect(try await client.get(job + "/parameters/SRC_FILEPATH").text == "/f")
        #expect(try await client.get(job + "/parameters/odd").text == "2")
        #expect(try await client.get(job + "/parameters/none").status == 404)
        #expect(try await client.post(job + "/phase", ["PHASE": "RUN"]) == url)
        #expect(try await client.phase(job) == "QUEUED")
        let native = try await person.user.get("/jobs/\(id)")
        #expect(native["src_filepath"] == "/f" && native["priority"] == 3 && native["dst_siteid"] == 2)
        #expect(native["extra_opts"] == ["verify": "none", "odd": "2"] && native["label"] == "run 7")
        #expect(try await client.send("POST", job + "/parameters", form: ["priority": "1"]).status == 403)
        #expect(try await client.send("POST", job + "/phase", form: ["PHASE": "RUN"]).status == 403)
        let worker = try await ActingWorker(person.worker)
        try await worker.finish(try await worker.takeOne(), ["listing": ["/f": [entry("x")]], "log": "found\n"])
        #expect(try await client.phase(job) == "EXECUTING", "also between two elements")
        try await worker.finish(try await worker.takeOne(), ["log": "copied\n"])
        #expect(try await client.phase(job) == "COMPLETED")
        let document = try await client.get(job)
        #expect(document.headers["Content-Type"]?.hasPrefix("text/xml") == true)
        for text in [
            "<uws:runId>run 7</uws:runId>", "<uws:parameter id=\"odd\">2</uws:parameter>",
            "xlink:href=\"\(url)/results/log-1\"", "<haul:done>2</haul:done>",
        ] { #expect(document.text.contains(text), "\(text) in \(document)") }
        #expect(try await client.get(job + "/results/log-1").text == "copied\n")
        #expect(try await client.get(job + "/results/listing-0")["/f"]?[0]?["name"] == "x")
        #expect(try await client.get(job + "/results/result")["num_done"] == 2)
        for name in ["log-2", "log--1", "log-x", "listing-1", "nothing", "log", "LOG-1"] {
            #expect(try await client.get("\(job)/results/\(name)").status == 404, "\(name)")
        }
        #expect(try await client.send("POST", job + "/phase", form: ["PHASE": "ABORT"]).status == 403)
        let gone = try await client.send("DELETE", job)
        #expect(gone.status == 303 && gone.headers["Location"] == client.server.url + "/uws/copy")
        for method in ["GET", "DELETE"] { #expect(try await client.send(method, job).status == 404) }
        #expect(try await person.user.get("/jobs/\(id)").status == 404)
    }

    /// Committed at once, aborted in the query, deleted by a POST; failures say why.
    @Test func shortcuts() async throws {
        let (person, client) = try await client()
        let job = try await client.make("list", ["src_siteid": "1", "src_filepath": "/d", "PHASE": "run"])
        #expect(try await client.phase(job) == "QUEUED")
        #expect(try await client.send("POST", job + "/phase?PHASE=ABORT").status == 303)
        #expect(try await client.phase(job) == "ABORTED")
        #expect(try await client.send("POST", job + "/", form: ["action": "delete"]).status == 303)
        #expect(try await client.get(job).status == 404)
        let bad = try await client.make("transfer", ["TYPE": "copy", "src_siteid": "nowhere", "PHASE": "RUN"])
        #expect(try await client.phase(bad) == "ERROR")
        let why = try await client.get(bad + "/error").text
        #expect(why.contains("src_siteid") && why.contains("dst_filepath"))
        #expect(try await client.get(bad).element("message")?.contains("src_siteid") == true)
        let failing = try await client.make("mkdir", ["src_siteid": "1", "src_filepath": "/d", "PHASE": "RUN"])
        let worker = try await ActingWorker(person.worker)
        try await worker.report(
            try await worker.takeOne(), 1,
            ["error_class": "permission", "reason": "may not", "log": "tried & failed\n"])
        #expect(try await client.get(failing + "/error").text == "tried & failed\n")
        #expect(try await client.get(failing).element("message") == "Element 0: may not")
        // A log that is gone is told as such, and why it failed all the same.
        let uid = try #require(
            try await person.user.get("/jobs/\(Int(failing.split(separator: "/")[1]) ?? 0)")["log_uid"]?.string)
        try FileManager.default.removeItem(atPath: "\(LiveServer.ofSuite.logs)/\(uid.prefix(2))/\(uid)")
        #expect(try await client.get(failing + "/error").text == "Element 0: may not\n")
        let log = try await client.get(failing + "/results/log-0")
        #expect(log.status == 404 && log.text == "The log of attempt 1 at element 0 is gone.\n", "\(log)")
        // A queue that is paused, and a multipart form.
        _ = try await person.user.send("PATCH", "/queues/default", Array("{\"paused\": true}".utf8))
        let body = ["src_siteid": "1", "src_filepath": "/d", "PHASE": "RUN"].map {
            "--b\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n"
        }.joined()
        let made = try await client.send(
            "POST", "/remove", body: Array((body + "--b--\r\n").utf8), type: "multipart/form-data; boundary=b")
        let place = try #require(made.headers["Location"]?.split(separator: "/").suffix(2).joined(separator: "/"))
        #expect(try await client.phase("/" + place) == "QUEUED")
    }

    /// What a protocol calls its options, in any case; and nothing of a request is done where one part of it can't be.
    @Test func wholeRequests() async throws {
        let (person, client) = try await client()
        let job = try await client.make(
            "copy",
            [
                "src_siteid": "1", "src_filepath": "/d", "dst_siteid": "2", "dst_filepath": "/e", "POSC": "true",
                "Third_Party": "only", "Mine": "1", "MINE": "2",
            ])
        let id = job.dropFirst("/copy/".utf8.count)
        #expect(
            try await person.user.get("/jobs/\(id)/parameters")["extra_opts"]
                == ["posc": "true", "third_party": "only", "MINE": "2"])
        try await client.post(job, ["mine": "3", "posc": "false", "PHASE": "RUN"])
        #expect(
            try await person.user.get("/jobs/\(id)")["extra_opts"]
                == ["posc": "false", "third_party": "only", "MINE": "3"])
        let twice = try await client.send("POST", job, form: ["EXECUTIONDURATION": "9", "PHASE": "RUN"])
        #expect(twice.status == 403)
        #expect(try await client.get(job + "/executionduration").text == "0")
        try await client.post(job, ["EXECUTIONDURATION": "9", "PHASE": "ABORT"])
        #expect(try await client.get(job + "/executionduration").text == "9")
        #expect(try await client.phase(job) == "ABORTED")
        let draft = try await client.make("mkdir", ["src_siteid": "1", "src_filepath": "/d"])
        let long = String(repeating: "x", count: 70_000)
        let refused = try await client.send(
            "POST", draft, form: ["SRC_FILEPATH": long, "EXECUTIONDURATION": "9", "PHASE": "RUN"])
        #expect(refused.status == 400, "\(refused.status)")
        #expect(try await client.get(draft + "/executionduration").text == "0")
        #expect(try await client.phase(draft) == "PENDING")
    }

    /// In a list of one type `TYPE` may be said, in any case, and may be no other.
    @Test func typesOfLists() async throws {
        let (person, client) = try await client()
        let form: KeyValuePairs = ["src_siteid": "1", "src_filepath": "/d", "Type": "Copy"]
        let refused = try await client.send("POST", "/list", form: form)
        #expect(refused.status == 400 && refused.text.contains("LIST"), "\(refused)")
        #expect(refused.headers["Content-Type"]?.hasPrefix("text/plain") == true)
        for type in ["5", "odd", ""] {
            #expect(try await client.send("POST", "/mkdir", form: ["TYPE": type]).status == 400, "\(type)")
        }
        #expect(try await client.get("/transfer").jobrefs.isEmpty)
        let job = try await client.make("list", ["src_siteid": "1", "src_filepath": "/d", "type": "list"])
        let id = job.dropFirst("/list/".utf8.count)
        #expect(!(try await client.get(job).text.lowercased().contains("id=\"type\"")))
        // Nothing is done of a request with another, and one with the same is as without.
        let change: KeyValuePairs = ["TYPE": "mkdir", "src_filepath": "/e", "EXECUTIONDURATION": "9", "PHASE": "RUN"]
        for part in ["", "/parameters", "/phase"] {
            #expect(try await client.send("POST", job + part, form: change).status == 400, "\(part)")
        }
        for (type, status) in [("MKDIR", 400), ("LIST", 303)] {
            let answer = try await client.send("PUT", job + "/parameters/TYPE", body: Array(type.utf8))
            #expect(answer.status == status, "\(answer)")
        }
        #expect(try await client.phase(job) == "PENDING")
        #expect(try await client.get(job + "/executionduration").text == "0")
        #expect(try await client.get(job + "/parameters/src_filepath").text == "/d")
        try await client.post(job + "/parameters", ["TYPE": "List", "src_filepath": "/f"])
        #expect(try await client.get(job + "/parameters/src_filepath").text == "/f")
        // Where jobs of any type are it is a parameter like another.
        try await client.post("/transfer/\(id)/parameters", ["TYPE": "mkdir"])
        #expect(try await client.get(job).status == 404)
        try await client.post("/mkdir/\(id)", ["TYPE": "MKDIR", "PHASE": "RUN"])
        let native = try await person.user.get("/jobs/\(id)")
        #expect(native["type"] == "MKDIR" && native["src_filepath"] == "/f", "\(native)")
    }

    /// What takes longer than it may is aborted; what is to be gone by a time is.
    @Test func timesThatCome() async throws {
        let (person, client) = try await client()
        let job = try await client.make(
            "list", ["src_siteid": "1", "src_filepath": "/d", "EXECUTIONDURATION": "1", "PHASE": "RUN"])
        let worker = try await ActingWorker(person.worker)
        let held = try await worker.takeOne()
        let name = "\(held.jobID).\(held.id).\(held.attempt)"
        let beat: JSONValue = ["session": .int(worker.session ?? 0), "holding": [.string(name)]]
        try await eventually("its worker is told to stop") {
            try await person.worker.post("/worker/heartbeat", beat)["stop"]?.array?.isEmpty == false
        }
        #expect(try await client.phase(job) == "EXECUTING")
        try await worker.report(held, 1, ["error_class": "interrupted"])
        #expect(try await client.phase(job) == "ABORTED")
        let soon = Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000) + 1000).text
        let draft = try await client.make("list", ["src_siteid": "1", "src_filepath": "/d", "DESTRUCTION": soon])
        #expect(try await client.get(draft + "/destruction").text == soon)
        try await eventually("it is gone") { try await client.get(draft).status == 404 }
    }

    /// Jobs of the native API stand in the lists too, with what they ask for as parameters.
    @Test func nativeJobs() async throws {
        let (person, client) = try await client()
        let id = try await person.copy("/d", "/e", ["extra_opts": ["depth": 2], "label": "l"])
        for list in ["copy", "transfer", "async"] {
            let document = try await client.get("/\(list)/\(id)")
            #expect(document.status == 200 && document.element("runId") == "l")
            #expect(document.text.contains("<uws:parameter id=\"depth\">2</uws:parameter>"))
            #expect(document.text.contains("<uws:parameter id=\"dst_filepath\">/e</uws:parameter>"))
            // The type is a parameter where jobs of any type are, by the name that makes them there.
            let isTyped = list == "copy"
            #expect(document.text.contains("<uws:parameter id=\"TYPE\">COPY</uws:parameter>") == !isTyped, "\(list)")
            #expect(!document.text.contains("id=\"type\""))
            for name in ["TYPE", "type"] {
                let type = try await client.get("/\(list)/\(id)/parameters/\(name)")
                #expect(isTyped ? type.status == 404 : type.text == "COPY", "\(list) \(type)")
            }
        }
        #expect(try await client.get("/list/\(id)").status == 404)
        #expect(try await client.send("POST", "/copy/\(id)/phase", form: ["PHASE": "ABORT"]).status == 303)
        #expect(try await person.status(id) == "CANCELLED")
    }

    @Test func lists() async throws {
        let (person, client) = try await client()
        var ids: [Int] = []
        for number in 0..<5 {
            let job = try await client.make(
                number % 2 == 0 ? "list" : "mkdir", ["src_siteid": "1", "src_filepath": "/d\(number)"])
            ids.append(try #require(Int(job.split(separator: "/").last ?? "")))
        }
        for list in ["/transfer", "/async/"] { #expect(try await client.get(list).jobrefs == ids) }
        #expect(try await client.get("/list").jobrefs == [ids[0], ids[2], ids[4]])
        #expect(try await client.get("/transfer?LAST=2").jobrefs == [ids[4], ids[3]])
        #expect(try await client.get("/mkdir?last=9").jobrefs == [ids[3], ids[1]])
        _ = try await client.post("/list/\(ids[2])", ["PHASE": "RUN"])
        #expect(try await client.get("/transfer?PHASE=QUEUED").jobrefs == [ids[2]])
        #expect(
            try await client.get("/transfer?phase=pending&PHASE=QUEUED&LAST=3").jobrefs == [4, 3, 2].map { ids[$0] })
        for phase in ["ARCHIVED", "HELD", "EXECUTING"] {
            #expect(try await client.get("/transfer?PHASE=\(phase)").jobrefs.isEmpty, "\(phase)")
        }
        let created = try #require(try await client.get("/list/\(ids[2])").element("creationTime"))
        let later = try await client.get("/transfer?AFTER=\(created)").jobrefs
        // Two may be of the same millisecond.
        #expect(Set([ids[3], ids[4]]).isSuperset(of: later))
        #expect(try await client.get("/transfer?AFTER=2015&PHASE=QUEUED").jobrefs == [ids[2]])
        #expect(try await client.get("/transfer?AFTER=2999-01-01%2009:00").jobrefs.isEmpty)
        let other = try await newPerson()
        #expect(try await UWSClient(other.user).get("/transfer").jobrefs.isEmpty)
        // More than a page, streamed.
        let many = JSONValue.array(
            (0..<1200).map { ["type": "LIST", "src_siteid": 1, "src_filepath": .string("/m\($0)")] })
        _ = try await person.user.post("/jobs", many)
        let all = try await client.get("/transfer").jobrefs
        #expect(all.count == 1205 && all == all.sorted())
        #expect(try await client.get("/transfer?LAST=1100").jobrefs == all.suffix(1100).reversed())
        #expect(try await client.get("/transfer?PHASE=PENDING&PHASE=QUEUED").jobrefs == all)
    }
}
