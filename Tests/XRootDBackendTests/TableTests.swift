import Foundation
import HaulModel
import HaulProtocol
import Testing

@testable import haul_xrootd

/// What is read out of the tools' words, without a server.
@Suite struct TableTests {
    @Test(
        arguments: [
            (
                "[ERROR] Server responded with an error: [3011] Unable to locate /a; no such file or directory\0\n\n",
                .notFound
            ),
            (
                "Run: [ERROR] Server responded with an error: [3010] Unable to create /ro/x; permission denied  (destination)",
                .permission
            ),
            ("[ERROR] Server responded with an error: [3005] Unable to remove /a; directory not empty\0", .notEmpty),
            ("[ERROR] Server responded with an error: [3005] Unable to mkdir /t/1/x; not a directory\0", .invalid),
            ("[ERROR] Server responded with an error: [3016] Unable to checksum /a; is a directory\0", .invalid),
            ("[ERROR] Server responded with an error: [3018] Unable to mkdir /a; file exists\0", .exists),
            ("[ERROR] Server responded with an error: [3005] Unable to mkdir /a; file name too long\0", .invalid),
            (
                "[ERROR] Server responded with an error: [3005] Unable to open /a; too many levels of symbolic links\0",
                .invalid
            ),
            ("[ERROR] Server responded with an error: [3005] Unable to write /a; no space left on device\0", .noSpace),
            ("[ERROR] Server responded with an error: [3005] Unable to write /a; disk quota exceeded\0", .noSpace),
            ("[ERROR] Server responded with an error: [3005] Unable to open /a; read-only file system\0", .permission),
            ("[ERROR] Server responded with an error: [3000] Required argument not present", .invalid),
            ("[ERROR] Server responded with an error: [3001] Required argument not present", .invalid),
            ("[ERROR] Server responded with an error: [3002] Path is too long", .invalid),
            (
                "[ERROR] Server responded with an error: [3003] /a file is already opened by 1 writer; open denied.",
                .busy
            ),
            ("[ERROR] Server responded with an error: [3007] Unable to read /a; input/output error\0", .busy),
            ("[ERROR] Server responded with an error: [3008] Insufficient memory", .busy),
            ("[ERROR] Server responded with an error: [3009] Out of space", .noSpace),
            ("[ERROR] Server responded with an error: [3011] No servers have the file", .notFound),
            ("[ERROR] Server responded with an error: [3013] Request is not supported", .invalid),
            ("[ERROR] Server responded with an error: [3014] No servers are available", .connect),
            ("[ERROR] Server responded with an error: [3015] It is no file", .invalid),
            ("[ERROR] Server responded with an error: [3019] Checksum does not fit", .checksum),
            ("[ERROR] Server responded with an error: [3020] It is being staged", .busy),
            ("[ERROR] Server responded with an error: [3021] Quota is used up", .noSpace),
            ("[ERROR] Server responded with an error: [3024] Too many requests", .busy),
            ("[ERROR] Server responded with an error: [3025] Nothing is written here", .permission),
            ("[ERROR] Server responded with an error: [3028] Encryption is required", .permission),
            ("[ERROR] Server responded with an error: [3029] No replicas", .notFound),
            ("[ERROR] Server responded with an error: [3030] Unable to authenticate", .auth),
            ("[ERROR] Server responded with an error: [3032] Conflict", .busy),
            ("[ERROR] Server responded with an error: [3034] Too late", .timeout),
            ("[ERROR] Server responded with an error: [3035] Too late", .timeout),
            ("[ERROR] Server responded with an error: [3012] Something new", .unknown),
            ("Run: [FATAL] Redirect limit has been reached:  (source)", .permission),
            ("Run: [FATAL] Auth failed:  (destination)", .auth),
            ("[FATAL] Security: No protocols left to try", .auth),
            ("[FATAL] TLS error: certificate verify failed", .auth),
            ("Run: [ERROR] Invalid operation: file exists", .exists),
            ("Run: [ERROR] CheckSum error", .checksum),
            ("Run: [ERROR] Operation expired", .timeout),
            ("Run: [ERROR] Request timed out", .timeout),
            ("Run: [ERROR] Socket timeout", .timeout),
            ("Run: [FATAL] Connection error:  (destination)", .connect),
            ("Run: [ERROR] Socket error", .connect),
            ("Run: [ERROR] Socket disconnected", .connect),
            ("Run: [ERROR] Stream disconnect", .connect),
            ("Run: [ERROR] Poller error", .connect),
            ("Run: [ERROR] No route to host", .connect),
            ("Run: [FATAL] Invalid address", .connect),
            ("", .unknown),
        ] as [(String, ErrorClass)])
    func complaint(_ said: String, _ errorClass: ErrorClass) {
        let failure = Complaint.failure(said, "cannot do it", about: ["/a"])
        #expect(failure.errorClass == errorClass)
        #expect(failure.reason.hasPrefix("cannot do it: "))
        #expect(!failure.reason.contains("\0") && !failure.reason.contains("\n"))
    }

    /// What a path is called says nothing of what went wrong with it.
    @Test(
        arguments: [
            (
                "[3011] Unable to stat /d/not a directory/x; no such file or directory", "/d/not a directory/x",
                .notFound
            ),
            ("[3011] Unable to stat /d/Is a Directory; no such file or directory", "/d/Is a Directory/x", .notFound),
            ("[3005] Unable to mkdir /d/file exists; not a directory", "/d/file exists", .invalid),
            ("[3010] Unable to open /[3009]; permission denied", "/[3009]", .permission),
            ("Run: [FATAL] Connection error: /disk quota exceeded (source)", "/disk quota exceeded", .connect),
            ("[3018] Unable to mkdir /file exists; file exists", "/file exists", .exists),
        ] as [(String, String, ErrorClass)])
    func aPathMeansNothing(_ said: String, _ path: String, _ errorClass: ErrorClass) {
        let failure = Complaint.failure("[ERROR] Server responded with an error: \(said)\0\n", "cannot", about: [path])
        #expect(failure.errorClass == errorClass)
    }

    /// Each row is what decides somewhere: none is hidden behind one before it.
    @Test func everyRowCounts() {
        for (index, row) in Complaint.rows.enumerated() {
            let hidden = Complaint.rows[..<index].contains { row.text.contains($0.text) }
            #expect(!hidden, "\(row.text)")
        }
    }

    @Test(
        arguments: [
            ("/a b", "\"/a b\""), ("/it's", "\"/it's\""), ("/q\"d", "\"/q\"'\"'\"d\""),
            ("/\"\"", "\"/\"'\"'\"\"'\"'\"\""),
            ("/back\\slash", "\"/back\\slash\""),
        ])
    func quoting(_ path: String, _ quoted: String) throws {
        #expect(try RemotePath(path, home: "/").quoted == quoted)
    }

    @Test(
        arguments: [
            ("/a//b/./c/", "/a/b/c"), ("~", "/home/x"), ("~/f", "/home/x/f"), ("f", "/home/x/f"), ("/", "/"),
            ("/~", "/~"), ("", "/home/x"), ("/...", "/..."),
        ])
    func paths(_ given: String, _ text: String) throws {
        #expect(try RemotePath(given, home: "/home/x").text == text)
    }

    @Test(arguments: ["/what?", "/a/../b", "/new\nline", "/tab\there", "/c1\u{85}", "/nul\0"])
    func noPath(_ given: String) {
        #expect(throws: BackendFailure.self) { try RemotePath(given, home: "/") }
    }

    @Test func listingLines() throws {
        let directory = try RemotePath("/a b", home: "/")
        func read(_ line: String) throws -> ListingEntry {
            try ListingLine.entry(Data(line.utf8), in: directory, shown: "/a b")
        }
        let file = try read("-rw-r-----   root domain users   10 2026-11-21 21:03:35 /a b/ c d ")
        #expect(file == ListingEntry(name: " c d ", size: 10, mode: 0o100640, modified: 1_795_295_015))
        let short = try read("dr-x 2022-08-11 12:06:10        4096 /a b/x")
        #expect(short == ListingEntry(name: "x", size: 4096, mode: 0o040500, modified: 1_660_219_570))
        for wrong in [
            "", "-rw-r--r-- a b 1 2026-11-21 21:03:35 /other/x", "line", "-rw- x y z /a b/q", "/a b/q",
            "-rwxrwxrwxrwxrwxrwx 2026-11-21 21:03:35 1 /a b/q", "-rw- 9223372036854775807-01-01 00:00:00 1 /a b/q",
            "-rw- 2026-01-01 9223372036854775807:00:00 1 /a b/q",
        ] {
            #expect(throws: BackendFailure.self) { try read(wrong) }
        }
    }

    @Test func stat() throws {
        let lines = [
            "Path:   /a", "Id:     77", "Size:   6", "MTime:  1970-03-01 00:00:01",
            "Flags:  48 (IsReadable|IsWritable)",
            "Mode:   0644",
        ]
        let file = try Stat(lines, of: "/a")
        #expect(file.facts == FileFacts(kind: .file, size: 6, modified: 59 * 86_400 + 1, permissions: 0o644))
        #expect(file.identity == "77")
        #expect(try Stat(["Size: 1", "Flags: 51 (IsDir)"], of: "/").facts.kind == .directory)
        #expect(try Stat(["Size: 1", "Flags: 20 (Other)"], of: "/").facts.kind == .other)
        #expect(throws: BackendFailure.self) { try Stat(["Size: 1"], of: "/") }
    }
}
