import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Testing

@testable import haul_http

@Suite struct EncodingTests {
    @Test func everyByteSurvives() {
        let all = (0...255).map { UInt8($0) }
        let encoded = PercentEncoding.encode(all)
        #expect(PercentEncoding.decode(encoded.utf8) == all)
        #expect(encoded.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\"") })
        #expect(PercentEncoding.encode("aZ09-._~".utf8) == "aZ09-._~")
        #expect(PercentEncoding.decode("100%".utf8) == Array("100%".utf8))
        #expect(PercentEncoding.decode("%zz%4".utf8) == Array("%zz%4".utf8))
        #expect(PercentEncoding.decode("%C3%bc".utf8) == Array("ü".utf8))
    }

    @Test(arguments: [
        ("/a/b", "/a/b", "/a/b"), ("~/a b/", "/a%20b", "~/a b"), ("a//./b", "/a/b", "a//./b"), ("/", "", "/"),
        ("~", "", "~"), ("~x", "/~x", "~x"), ("/a?b#c;d", "/a%3Fb%23c%3Bd", "/a?b#c;d"), ("/...", "/...", "/..."),
    ]) func paths(_ path: String, _ encoded: String, _ shown: String) throws {
        let location = try Location(path)
        #expect(location.encoded == encoded)
        #expect(location.given == shown)
    }

    @Test(arguments: ["", "..", "/a/../b", "/a/..", "a\0b"]) func refusedPaths(_ path: String) {
        #expect(throws: Location.Invalid.self) { try Location(path) }
    }

    @Test func composedAndDecomposedLettersDiffer() throws {
        #expect(try Location("/\u{fc}") != Location("/u\u{308}"))
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
    ]) func dates(_ text: String, _ seconds: Int) { #expect(HTTPDate.seconds(text) == seconds) }

    @Test(arguments: [
        "", "now", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
    ])
    func noDates(_ text: String) { #expect(HTTPDate.seconds(text) == nil) }
}

@Suite struct ResponseTests {
    static let statuses: [(Int, ErrorClass)] = [
        (400, .invalid), (401, .auth), (402, .permission), (403, .permission), (404, .notFound), (405, .invalid),
        (406, .invalid), (407, .auth), (408, .timeout), (409, .notFound), (410, .notFound), (411, .invalid),
        (412, .exists), (413, .invalid), (414, .invalid), (416, .invalid), (422, .invalid), (423, .busy),
        (425, .busy), (429, .busy), (431, .invalid), (451, .permission), (500, .unknown), (501, .invalid),
        (502, .connect), (503, .busy), (504, .timeout), (505, .invalid), (507, .noSpace), (508, .invalid),
        (511, .auth), (599, .unknown),
    ]

    @Test(arguments: statuses) func status(_ status: Int, _ expected: ErrorClass) {
        let response = HTTPResponse(exitCode: 0, status: status, downloaded: 0, uploaded: 0)
        #expect(response.errorClass == expected)
        // A refused upload also breaks the connection; the refusal is the reason.
        let broken = HTTPResponse(exitCode: 55, status: status, downloaded: 0, uploaded: 0)
        #expect(broken.errorClass == expected)
        #expect(response.failure("PUT /f").reason.contains("\(status)"))
    }

    static let exits: [(Int, ErrorClass)] = [
        (1, .invalid), (2, .backend), (3, .invalid), (5, .connect), (6, .connect), (7, .connect), (8, .interrupted),
        (16, .interrupted), (18, .interrupted), (23, .noSpace), (26, .backend), (27, .backend), (28, .timeout),
        (33, .interrupted), (35, .connect), (42, .interrupted), (47, .invalid), (51, .auth), (52, .interrupted),
        (55, .interrupted), (56, .interrupted), (58, .invalid), (60, .auth), (61, .invalid), (63, .invalid),
        (67, .auth), (77, .invalid), (92, .interrupted), (97, .connect), (137, .interrupted), (99, .unknown),
    ]

    @Test(arguments: exits) func exit(_ code: Int, _ expected: ErrorClass) {
        let response = HTTPResponse(exitCode: code, status: 0, downloaded: 0, uploaded: 0, message: "why")
        #expect(response.errorClass == expected)
        #expect(response.failure("GET /f").reason == "GET /f: curl \(code): why")
    }

    @Test func otherAnswers() {
        #expect(HTTPResponse(exitCode: 0, status: 302, downloaded: 0, uploaded: 0).errorClass == .invalid)
        #expect(HTTPResponse(exitCode: 0, status: 204, downloaded: 0, uploaded: 0).errorClass == nil)
        var expired = HTTPResponse(exitCode: 0, status: 401, downloaded: 0, uploaded: 0)
        expired.authenticate = "Bearer error=\"invalid_token\""
        #expect(expired.errorClass == .credentialExpired)
    }
}

@Suite struct MultistatusTests {
    static func parse(_ text: String) throws -> [Resource] {
        var found: [Resource] = []
        try Multistatus.parse(InputStream(data: Data(text.utf8))) { found.append($0) }
        return found
    }

    /// Foundation's parser ends the process over such a name: it must not get to see it.
    @Test func aNameThatIsNoText() {
        let document = Data("<multistatus xmlns=\"DAV:\"><".utf8) + [0xC3] + Data("ode>x".utf8)
        #expect(throws: BackendFailure.self) { try Curl.parse(document, what: "a listing", most: 1) }
    }

    /// Over a document type with attributes it ends the process, too, in whatever encoding that comes.
    @Test func aDocumentType() {
        let typed = "<!DOCTYPE a [<!ATTLIST a b CDATA #IMPLIED>]><a/>"
        let wide = Data(typed.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        let encoded = typed.replacing("<", with: "+ADw-")
        for document in [
            Data(typed.utf8), wide, Data("<?xml version=\"1.0\" encoding=\"UTF-7\"?>\(encoded)".utf8),
            Data("<?xml a=\"1><a?0/?><?p /".utf8) + [0, 0], Data("<?xml a=\"1><a?0/><?p \u{1}/?>".utf8),
            Data("<?xml version=\"1.0?>\" encoding='UTF-7'?>\(encoded)".utf8),
            Data("<?xml version=\"1.0\" encoding='utf-8' encoding='UTF-7'?>\(typed)".utf8),
        ] {
            #expect(throws: BackendFailure.self) { try Curl.parse(document, what: "a listing", most: 1) }
        }
        for start in [
            "", "<?xml version='1.0' encoding = 'utf-8' ?>\n", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n",
        ] {
            #expect(Data("\(start)<a/>".utf8).isSafeXML, "\(start)")
        }
    }

    static func document(_ responses: String) -> String {
        "<?xml version=\"1.0\"?><multistatus xmlns=\"DAV:\">\(responses)</multistatus>"
    }

    @Test func readsApachesForm() throws {
        let text = """
            <?xml version="1.0" encoding="utf-8"?>
            <D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
            <D:response xmlns:lp1="DAV:" xmlns:g0="DAV:"><D:href>/d/</D:href>
            <D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype>
            <lp1:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</lp1:getlastmodified></D:prop>
            <D:status>HTTP/1.1 200 OK</D:status></D:propstat>
            <D:propstat><D:prop><g0:getcontentlength/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
            </D:response>
            <D:response><D:href>/d/a&amp;b%0a</D:href><D:propstat><D:prop><D:resourcetype/>
            <D:getcontentlength>3</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
            </D:response></D:multistatus>
            """
        let found = try Self.parse(text)
        #expect(
            found == [
                Resource(href: "/d/", isCollection: true, size: nil, modified: 784_111_777),
                Resource(href: "/d/a&b%0a", isCollection: false, size: 3),
            ])
    }

    /// The fast reader says the same as the careful one, or that it is not for it.
    @Test(arguments: [
        (
            "<response><href>/d/a%20b</href><propstat><prop><resourcetype/><getcontentlength>3</getcontentlength>"
                + "<getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</getlastmodified></prop>"
                + "<status>HTTP/1.1 200 OK</status></propstat></response>", true
        ),
        (
            "<response><href> /d/ </href><propstat><prop><resourcetype><collection/></resourcetype></prop>"
                + "<status>HTTP/1.1 200 OK</status></propstat><propstat><prop><getcontentlength>9</getcontentlength></prop>"
                + "<status>HTTP/1.1 404 Not Found</status></propstat></response>", true
        ),
        ("<response><href>/x</href><status>HTTP/1.1 403 Forbidden</status></response>", true),
        ("<o:response xmlns:o='other'><o:href>/x</o:href></o:response>", true),
        (
            "<response xmlns='DAV:' xmlns:p=\"DAV:\"><p:href>/y</p:href><propstat><prop xmlns=''><getcontentlength>4"
                + "</getcontentlength><p:getcontentlength>5</p:getcontentlength></prop></propstat></response>", true
        ),
        ("<response><href>/a&amp;b</href></response>", false),
        ("<response><href><![CDATA[/c]]></href></response>", false),
        ("<response><!-- x --><href>/c</href></response>", false),
        ("<response><href>/caf\u{e9}</href></response>", false),
        ("<response><href>/c</response></href>", false),
        ("<response><href>/c</href>", false),
    ]) func readsPlainFormsFast(_ responses: String, _ isPlain: Bool) throws {
        let text = Self.document(responses)
        var found: [Resource] = []
        let said = PlainMultistatus.parse(Data(text.utf8)) { found.append($0) }
        #expect(said == isPlain)
        if isPlain { #expect(try found == Self.parse(text)) }
        // Cut off anywhere it is nothing.
        for end in text.utf8.indices {
            #expect(!PlainMultistatus.parse(Data(text.utf8[..<end])) { _ in })
        }
        #expect(!PlainMultistatus.parse(Data((text + "<x/>").utf8)) { _ in })
    }

    @Test func onlyDAVsOwnNamesCount() throws {
        let found = try Self.parse(
            Self.document(
                "<response><href>/f</href><propstat><prop><x:getcontentlength xmlns:x=\"urn:x\">9</x:getcontentlength>"
                    + "<displayname>href</displayname></prop></propstat></response>"))
        #expect(found == [Resource(href: "/f")])
    }

    @Test func absurdValuesAreNone() throws {
        let found = try Self.parse(
            Self.document(
                "<response><href>/f</href><propstat><prop><getcontentlength>-5</getcontentlength>"
                    + "<getlastmodified>soon</getlastmodified></prop></propstat></response>"))
        #expect(found == [Resource(href: "/f")])
    }

    @Test(arguments: [
        "", "garbage", "<html></html>", "<multistatus/>", "<multistatus xmlns=\"DAV:\"><response>",
        "<multistatus xmlns=\"DAV:\">" + String(repeating: "<a>", count: 100),
        "<multistatus xmlns=\"DAV:\"><response><href>" + String(repeating: "x", count: 70_000)
            + "</href></response></multistatus>",
    ]) func refuses(_ text: String) {
        #expect(throws: Multistatus.Broken.self) { try Self.parse(text) }
    }

    @Test func entityBombsAreHarmless() {
        var bomb = "<?xml version=\"1.0\"?><!DOCTYPE m [<!ENTITY a0 \"aaaaaaaaaa\">"
        for level in 1...9 { bomb += "<!ENTITY a\(level) \"" + String(repeating: "&a\(level - 1);", count: 10) + "\">" }
        bomb += "]><multistatus xmlns=\"DAV:\"><response><href>&a9;</href></response></multistatus>"
        let began = ContinuousClock.now
        #expect(throws: Multistatus.Broken.self) { try Self.parse(bomb) }
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    @Test func externalEntitiesAreNotRead() throws {
        let text =
            "<?xml version=\"1.0\"?><!DOCTYPE m [<!ENTITY p SYSTEM \"file:///etc/passwd\">]>"
            + "<multistatus xmlns=\"DAV:\"><response><href>/x&p;</href></response></multistatus>"
        let found = (try? Self.parse(text)) ?? []
        #expect(!found.contains { $0.href.contains("root:") })
    }

    @Test func manyResponsesStream() throws {
        let one =
            "<response><href>/f</href><propstat><prop><getcontentlength>1</getcontentlength></prop></propstat></response>"
        #expect(try Self.parse(Self.document(String(repeating: one, count: 20_000))).count == 20_000)
    }
}

@Suite struct ChildNamesTests {
    private func meaning(_ href: String, prefix: String = "", of path: String = "/d") throws -> ChildNames.Meaning {
        let site = try Site(
            .init(site: "s", endpoints: ["h:1"], options: ["prefix": .string(prefix)]), scratch: "/tmp", proxy: nil)
        return ChildNames(of: try Location(path), at: site).child(href)
    }

    @Test(arguments: ["/d/", "/d", "http://h:1/d/", "https://elsewhere/d", "//d//", "/%64"])
    func itself(_ href: String) throws { #expect(try meaning(href) == .itself) }

    @Test(
        arguments: [
            ("/d/f", "f"), ("/d/f/", "f"), ("http://h:1/d/f", "f"), ("/d/a%20b", "a b"), ("/d/%2541", "%41"),
            ("/d/ü", "ü"),
            ("/d/a://b", nil), ("/d/100%", "100%"), ("/d/a;b", "a;b"),
        ] as [(String, String?)]) func children(_ href: String, _ name: String?) throws
    {
        #expect(try meaning(href) == (name.map { .child(Array($0.utf8)) } ?? .elsewhere))
    }

    @Test(arguments: [
        "/d/../etc", "/d/..", "/d/%2e%2e", "/d/.", "/d/a%2fb", "/d/a%00b", "/e/f", "/f", "/d/a/b", "", "http://",
        "mailto:x",
    ]) func elsewhere(_ href: String) throws { #expect(try meaning(href) == .elsewhere) }

    @Test func prefixesMayBeCutOffByAProxy() throws {
        #expect(try meaning("/dav/x/d/f", prefix: "/dav/x") == .child(Array("f".utf8)))
        #expect(try meaning("/d/f", prefix: "dav/x/") == .child(Array("f".utf8)))
        #expect(try meaning("/x/d/f", prefix: "/dav/x") == .elsewhere)
    }
}
