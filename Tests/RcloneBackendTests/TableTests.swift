import Foundation
import HaulModel
import HaulProtocol
import Testing

@testable import haul_rclone

/// What is read out of rclone's words, without rclone.
@Suite struct TableTests {
    @Test(
        arguments: [
            ("remove /b/m: directory not empty", .notEmpty),
            ("corrupted on transfer: md5 hash differ \"a\" vs \"b\"", .checksum),
            ("write /b/x: no space left on device", .noSpace),
            ("preallocate: file too big for remaining disk space", .noSpace),
            ("googleapi: Error 403: The user's Drive storage quota has been exceeded., storageQuotaExceeded", .noSpace),
            ("write /b/x: disk quota exceeded", .noSpace),
            ("507 Insufficient Storage", .noSpace),
            ("the storage limit of the account is reached", .noSpace),
            ("mkdir /b/f: not a directory", .invalid),
            ("open /b/d: is a directory", .invalid),
            ("open /b/xxx: file name too long", .invalid),
            ("didn't find section in config file", .invalid),
            ("didn't find backend called \"none\"", .invalid),
            ("object not found", .notFound),
            ("error in ListJSON: directory not found", .notFound),
            ("remove /b/none: no such file or directory", .notFound),
            ("read metadata failed: 404 Not Found", .notFound),
            ("file already exists", .exists),
            ("mkdir /b/x: file exists", .exists),
            ("oauth2: token expired and refresh token is not set", .credentialExpired),
            (
                "oauth2: cannot fetch token: 400 Bad Request Response: {\"error\": \"invalid_grant\"}",
                .credentialExpired
            ),
            ("read metadata failed: 401 Unauthorized", .auth),
            ("ssh: handshake failed: ssh: unable to authenticate, attempted methods [none]", .auth),
            ("couldn't authenticate", .auth),
            ("530 Login incorrect.", .auth),
            ("invalid credentials", .auth),
            ("open /b/x: permission denied", .permission),
            ("AccessDenied: 403 Forbidden", .permission),
            ("Access Denied.", .permission),
            ("open /b/x: read-only file system", .permission),
            ("429 Too Many Requests", .busy),
            ("Rate limit exceeded", .busy),
            ("503 Service Unavailable", .busy),
            ("423 Locked", .busy),
            ("can't copy - source file is being updated (size changed from 1 to 2)", .busy),
            ("context canceled", .interrupted),
            ("context deadline exceeded", .timeout),
            ("read tcp 127.0.0.1:1: i/o timeout", .timeout),
            ("dial tcp 127.0.0.1:1: connect: connection refused", .connect),
            ("read: connection reset by peer", .connect),
            ("lookup nowhere.example: no such host", .connect),
            ("connect: no route to host", .connect),
            ("connect: network is unreachable", .connect),
            ("unexpected EOF", .connect),
            ("write: broken pipe", .connect),
            ("something that nobody wrote down", .unknown),
            ("", .unknown),
        ] as [(String, ErrorClass)])
    func complaint(_ said: String, _ errorClass: ErrorClass) {
        let failure = Complaint.failure(said, "cannot do it", about: ["a/b"])
        #expect(failure.errorClass == errorClass)
        #expect(failure.reason.hasPrefix("cannot do it: "))
    }

    /// What a path is called says nothing of what went wrong with it.
    @Test(
        arguments: [
            ("Propfind \"http://h/quota/2024\": dial tcp: connection refused", "quota/2024", .connect),
            ("Propfind \"http://h/Quota%20exceeded/x\": 403 Forbidden", "Quota exceeded/x", .permission),
            ("open /r/quota exceeded/x: permission denied", "quota exceeded/x", .permission),
            ("failed to open quota exceeded/x: 403 Forbidden", "quota exceeded/x", .permission),
            ("open \"Not a Directory\": i/o timeout", "Not a Directory", .timeout),
            ("open /connection refused: connection refused", "connection refused", .connect),
            ("object not found", "not found", .notFound),
            ("read tcp: i/o timeout", "a/o", .timeout),
            ("a thing like any other", "e", .unknown),
        ] as [(String, String, ErrorClass)])
    func aPathMeansNothing(_ said: String, _ path: String, _ errorClass: ErrorClass) {
        #expect(Complaint.failure(said, "cannot do it", about: [path]).errorClass == errorClass)
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1 << 40, nil),
    ])
    func httpDates(_ seconds: Int, _ text: String?) { #expect(HTTPDate.text(seconds) == text) }

    /// Each row is what decides somewhere: none is hidden behind one before it.
    @Test func everyRowCounts() {
        for (index, row) in Complaint.rows.enumerated() {
            #expect(!Complaint.rows[..<index].contains { row.text.contains($0.text) }, "\(row.text)")
        }
    }

    @Test(arguments: [
        ("/a//b/./c/", "a/b/c"), ("~", ""), ("~/f", "f"), ("f", "f"), ("/", ""), ("/~", "~"), ("/...", "..."),
    ])
    func paths(_ given: String, _ text: String) throws {
        #expect(try RemotePath(given).text == text)
    }

    @Test(arguments: ["/a/../b", "/new\nline", "/tab\there", "/c1\u{85}"])
    func noPath(_ given: String) {
        #expect(throws: BackendFailure.self) { try RemotePath(given) }
    }

    @Test(
        arguments: [
            ("2026-11-21T21:36:05.985120483Z", 1_795_296_965), ("2026-11-21T22:36:05+01:00", 1_795_296_965),
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00-00:30", 951_827_400), ("yesterday", nil),
            ("2026-13-21T21:36:05Z", nil),
        ])
    func times(_ text: String, _ seconds: Int?) {
        #expect(Timestamp.seconds(text) == seconds)
    }

    @Test func answers() throws {
        let answer = try RemoteControl.parse(Data("HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n{}\r\n\r\n".utf8))
        #expect(answer.status == 404 && answer.body == Data("{}\r\n\r\n".utf8))
        for wrong in ["", "HTTP/1.0 200 OK\r\n", "SSH-2.0-x\r\n\r\n"] {
            #expect(throws: BackendFailure.self) { try RemoteControl.parse(Data(wrong.utf8)) }
        }
    }

    /// What a site says, passwords included, stands in the configuration alone; two sites' names do not mix.
    @Test func configuration() throws {
        func site(_ remote: String?) -> SiteSpec {
            SiteSpec(site: "s", options: remote.map { ["remote": .string($0)] } ?? [:])
        }
        let one = try RcloneConfig([("source", site("mine:/a"), "[mine]\ntype = local\n")])
        #expect(one.text == "[mine]\ntype = local\n\n[haul-source]\ntype = alias\nremote = mine:/a\n\n")
        let same = "[mine]\ntype = local\n"
        #expect(throws: Never.self) {
            try RcloneConfig([("source", site("mine:/a"), same), ("destination", site("mine:/b"), same)])
        }
        #expect(throws: BackendFailure.self) {
            try RcloneConfig([("source", site("mine:"), same), ("destination", site("mine:"), "[mine]\ntype = sftp\n")])
        }
        for fine in [
            "# note\n; note\n\n[ mine ]\r\nkey: value\nlong = a \\\n  b\nlast =\n", "[m]\na = \"\"\"x\ny\n\"\"\"\n",
        ] {
            #expect(throws: Never.self) { try RcloneConfig([("source", site("mine:"), fine)]) }
        }
        // rclone would refuse the whole file, and end.
        for odd in ["my-token", "[mine]\ntype = local\nmy-token\n", "[mine\n"] {
            let failure = #expect(throws: BackendFailure.self) {
                try RcloneConfig([("source", site("mine:"), odd)])
            }
            #expect(failure?.errorClass == .invalid && failure?.reason.contains("my-token") == false)
        }
        for wrong in [nil, "/no/remote", ":local:/a\nb"] {
            #expect(throws: BackendFailure.self) { try RcloneConfig([("source", site(wrong), nil)]) }
        }
    }
}
