import HaulHTTP
import Testing

@Suite struct MessageTests {
    @Test func headersKeepOrderAndIgnoreCase() {
        var headers: HTTPHeaders = ["A": "1", "b": "2"]
        headers.append("a", "3")
        #expect(headers["B"] == "2")
        #expect(headers.all("A") == ["1", "3"])
        headers.set("A", "4")
        #expect(headers.all("a") == ["4"])
        headers["a"] = nil
        #expect(headers["A"] == nil)
    }

    @Test(arguments: [
        ("/", [String]()), ("/jobs", ["jobs"]), ("/jobs/", ["jobs"]), ("/a%2Fb/c", ["a/b", "c"]),
        ("//a", ["", "a"]), ("/%e2%82%ac", ["€"]), ("/a+b", ["a+b"]), ("http://h:1/x?y", ["x"]), ("", []),
        ("/a://b", ["a:", "", "b"]),
    ])
    func pathsAreDecodedBySegment(target: String, segments: [String]) {
        #expect(HTTPRequestHead(method: "GET", target: target).pathSegments == segments)
    }

    @Test func queriesAreDecoded() {
        let head = HTTPRequestHead(method: "GET", target: "/x?a=1+2&b=%26&c&a=3&=v&d=e=f")
        #expect(head.query("a") == "1 2")
        #expect(head.query("b") == "&")
        #expect(head.query("c") == "")
        #expect(head.query("d") == "e=f")
        #expect(head.query("z") == nil)
        #expect(head.query.filter { $0.name == "a" }.map(\.value) == ["1 2", "3"])
        #expect(!head.hasInvalidEncoding)
    }

    @Test(arguments: ["/%ff", "/x?a=%ff", "/%", "/%4", "/%zz", "/x?%c3%28=1", "/%00"])
    func brokenEncodingIsFlagged(target: String) {
        #expect(HTTPRequestHead(method: "GET", target: target).hasInvalidEncoding)
    }
}
