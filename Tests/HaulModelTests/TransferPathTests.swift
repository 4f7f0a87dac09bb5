import HaulModel
import Testing

@Suite("Paths: absolute, ~/ or below ~/")
struct TransferPathTests {
    @Test(
        "one spelling for each place",
        arguments: [
            ("/a/b", "/a/b"), ("/a//b/", "/a/b"), ("/a/./b/../c", "/a/c"), ("/..", "/"), ("a", "~/a"), ("~/a/", "~/a"),
            ("~", "~"), ("./a", "~/a"), ("~/../a", "~/a"), ("/", "/"),
        ])
    func normalized(_ path: String, _ expected: String) {
        #expect(TransferPath.normalized(path) == expected)
    }

    @Test("what can be no path", arguments: ["", "/a\nb", "/a\u{0}", "/a\u{7f}", "~other/a", "/\u{85}"])
    func problems(_ path: String) {
        #expect(TransferPath.problem(path) != nil)
    }

    @Test("what can", arguments: ["/a b", "/-rf", "/'\"\\", "/é", "/e\u{301}", "~/x", "x", "/~x", "/日本"])
    func fine(_ path: String) {
        #expect(TransferPath.problem(path) == nil)
    }

    @Test("a path of a mebibyte is refused")
    func long() {
        #expect(TransferPath.problem("/" + String(repeating: "a", count: 1 << 20)) != nil)
    }

    @Test(
        "parents as listings name them",
        arguments: [
            ("/p/f", "/p"), ("/f", "/"), ("f", "~"), ("~/f", "~"), ("~/d/f", "~/d"), ("d/f", "d"), ("/p/d/", "/p"),
        ])
    func parents(_ path: String, _ expected: String) {
        #expect(TransferPath.parent(path) == expected)
    }

    @Test("bytes count, not what they look like")
    func bytes() {
        // To String these are equal, to a file system they are two names.
        #expect("/é" == "/e\u{301}")
        #expect(!TransferPath.same("/é", "/e\u{301}"))
        // A combining mark behind a slash does not hide the slash.
        #expect(TransferPath.relative("/a/\u{301}b", to: "/a") == "\u{301}b")
        #expect(TransferPath.name("/a/\u{301}b") == "\u{301}b")
        #expect(TransferPath.relative("/ab", to: "/a") == nil)
    }

    @Test("the top of a site", arguments: ["/", "~", "~/", "//", "/a/..", "/srv/data/", "/srv/./data", "/srv"])
    func roots(_ path: String) {
        #expect(TransferPath.isRoot(path, siteRoot: "/srv/data"))
        #expect(!TransferPath.isRoot("/srv/data/x", siteRoot: "/srv/data"))
    }

    @Test("names in a directory", arguments: ["", ".", "..", "a/b", "a\u{0}"])
    func noNames(_ name: String) {
        #expect(!TransferPath.isName(name))
    }
}
