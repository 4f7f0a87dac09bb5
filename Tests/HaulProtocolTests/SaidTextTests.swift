import HaulProtocol
import Testing

/// What tools say, beside paths that hold the same words.
struct SaidTextTests {
    @Test(arguments: [
        ("error: not a directory", ["/a"], true), ("error: Not A Directory", [], true),
        ("cannot open /x/not a directory", ["/x/not a directory"], false),
        ("cannot open \"not a directory\"", ["/x/not a directory"], false),
        ("cannot open /x/not a directory: not a directory", ["/x/not a directory"], true),
        ("/srv/root/x/not a directory/y", ["/x/not a directory/y"], false),
        ("not a directory", ["not a directory"], false),
        ("it is not a directory", ["not a directory"], true), ("", ["", "/", "//"], false),
        ("not a director", ["/a"], false),
    ])
    func says(_ said: String, _ paths: [String], _ isSaid: Bool) {
        #expect(SaidText(said, about: paths).says("not a directory") == isSaid)
    }

    /// A server may repeat itself.
    @Test func repeated() {
        let said = String(repeating: "/a/not a directory", count: 20_000)
        #expect(!SaidText(said, about: ["/a/not a directory", "/a"]).says("not a directory"))
        #expect(SaidText(said + " not a directory", about: ["/a/not a directory"]).says("not a directory"))
    }
}
