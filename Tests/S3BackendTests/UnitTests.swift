import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import haul_s3

@Suite struct ErrorTests {
    /// What S3 answers, and what that means to a job.
    static let rows: [(status: Int, code: String, expected: ErrorClass)] = [
        (404, "NoSuchKey", .notFound), (404, "NoSuchBucket", .notFound), (404, "NoSuchVersion", .notFound),
        (403, "AccessDenied", .permission), (403, "AllAccessDisabled", .permission),
        (403, "AccountProblem", .permission), (405, "MethodNotAllowed", .permission),
        (403, "InvalidObjectState", .permission),
        (403, "SignatureDoesNotMatch", .auth), (403, "InvalidAccessKeyId", .auth), (400, "InvalidToken", .auth),
        (403, "InvalidSecurity", .auth), (403, "NotSignedUp", .auth), (400, "AuthorizationHeaderMalformed", .auth),
        (403, "UnauthorizedAccess", .auth), (400, "MissingSecurityHeader", .auth),
        (403, "RequestTimeTooSkewed", .auth), (400, "ExpiredToken", .credentialExpired),
        (400, "TokenRefreshRequired", .credentialExpired), (403, "RequestExpired", .credentialExpired),
        (503, "SlowDown", .busy), (503, "ServiceUnavailable", .busy), (503, "Throttling", .busy),
        (400, "ThrottlingException", .busy), (429, "TooManyRequests", .busy), (503, "RequestLimitExceeded", .busy),
        (503, "BandwidthLimitExceeded", .busy), (409, "OperationAborted", .busy),
        (409, "ConditionalRequestConflict", .busy), (503, "XMinioServerNotInitialized", .busy),
        (409, "RestoreAlreadyInProgress", .busy), (400, "RequestTimeout", .timeout),
        (400, "IncompleteBody", .interrupted), (404, "NoSuchUpload", .interrupted), (400, "InvalidPart", .interrupted),
        (400, "InvalidPartOrder", .interrupted), (500, "InternalError", .unknown),
        (500, "InternalServerError", .unknown), (412, "PreconditionFailed", .exists),
        (409, "BucketAlreadyExists", .exists), (400, "BadDigest", .checksum),
        (400, "XAmzContentSHA256Mismatch", .checksum), (400, "XAmzContentChecksumMismatch", .checksum),
        (403, "QuotaExceeded", .noSpace), (400, "XMinioAdminBucketQuotaExceeded", .noSpace),
        (507, "XMinioStorageFull", .noSpace), (507, "InsufficientStorage", .noSpace), (400, "TooManyObjects", .noSpace),
        (400, "EntityTooLarge", .invalid), (400, "EntityTooSmall", .invalid), (400, "KeyTooLongError", .invalid),
        (400, "MetadataTooLarge", .invalid), (400, "InvalidArgument", .invalid), (400, "InvalidRequest", .invalid),
        (400, "InvalidBucketName", .invalid), (400, "InvalidURI", .invalid), (416, "InvalidRange", .invalid),
        (400, "MalformedXML", .invalid), (501, "NotImplemented", .invalid), (411, "MissingContentLength", .invalid),
        (400, "InvalidStorageClass", .invalid), (301, "PermanentRedirect", .invalid),
        (307, "TemporaryRedirect", .invalid), (307, "Redirect", .invalid),
        (400, "IllegalLocationConstraintException", .invalid), (400, "IncorrectEndpoint", .invalid),
        // Unknown codes: by their status.
        (403, "NewReason", .permission), (404, "NewReason", .notFound), (503, "NewReason", .busy),
        (500, "NewReason", .unknown), (507, "NewReason", .noSpace), (400, "NewReason", .invalid),
    ]

    @Test(arguments: rows) func classes(_ row: (status: Int, code: String, expected: ErrorClass)) throws {
        let text = "<?xml version=\"1.0\"?>\n<Error><Code>\(row.code)</Code><Message>Why &amp; so</Message></Error>"
        let error = try #require(S3Error.parse(text))
        #expect(error.code == row.code && error.message == "Why & so")
        let response = HTTPResponse(exitCode: 0, status: row.status, downloaded: 0, uploaded: 0)
        let failure = response.failure("PUT /f", error)
        #expect(failure.errorClass == row.expected)
        #expect(failure.reason.hasPrefix("PUT /f: HTTP \(row.status) \(row.code): Why & so"))
    }

    @Test func everyRowIsTested() {
        #expect(Set(S3Error.classes.keys).subtracting(Self.rows.map(\.code)) == [])
    }

    @Test func aRedirectSaysWhereTo() {
        var response = HTTPResponse(exitCode: 0, status: 301, downloaded: 0, uploaded: 0)
        response.headers = S3Request.Wanted.allCases.map { $0 == .region ? "eu-west-1" : "" }
        let failure = response.failure("HEAD /f", nil)
        #expect(failure.errorClass == .invalid)
        #expect(failure.reason.contains("the region eu-west-1: set the site's option region"), "\(failure)")
        let document = "<Error><Code>TemporaryRedirect</Code><Message>m</Message><Endpoint>b.s3.eu</Endpoint></Error>"
        #expect(response.failure("GET /f", S3Error.parse(document)).reason.contains("eu-west-1"))
    }

    @Test(arguments: [
        "", "no XML", "<Error><Code>x</Code>", "<Other><Code>x</Code></Other>", "<Error/>",
        "<!DOCTYPE a [<!ENTITY e \"x\">]><Error><Code>&e;</Code></Error>",
    ]) func noErrors(_ text: String) { #expect(S3Error.parse(text) == nil) }

    /// Foundation's parser ends the process over such a name: it must not get to see it.
    @Test func aNameThatIsNoText() {
        #expect(XMLTree.parse(Data("<Error><".utf8) + [0xC3] + Data("ode>x".utf8)) == nil)
        #expect(XMLTree.parse(Data("<Error><?xml ver/".utf8) + [0, 0]) == nil)
        #expect(XMLTree.parse(Data("<Error><Code>é</Code></Error>".utf8))?["Code"] == "é")
        for text in ["&<>\"'", "&\u{301}", "<\u{301}", "a\r\nb"] {
            let tree = XMLTree.parse("<a>\(XMLTree.escaped(text))</a>")
            #expect(tree?.text.utf8.elementsEqual(text.utf8) == true, "\(String(describing: tree))")
        }
    }

    @Test func aMessageStaysOneLine() {
        let error = S3Error.parse("<Error><Code>a\nb</Code><Message>line\nother\u{9b}x</Message></Error>")
        #expect(error?.code == "a\\x0ab")
        #expect(error?.message == "line\\x0aother\\xc2\\x9bx")
    }
}

@Suite struct ListPageTests {
    static func parse(_ body: String, root: String = "ListBucketResult") throws -> ListPage {
        try ListPage.parse(
            Data(
                "<?xml version=\"1.0\"?><\(root) xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(body)</\(root)>"
                    .utf8))
    }

    static func contents(_ key: String, _ size: String = "5") -> String {
        "<Contents><Key>\(key)</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
            + "<Size>\(size)</Size></Contents>"
    }

    @Test func readsAPage() throws {
        let page = try Self.parse(
            "<Name>b</Name><Prefix></Prefix><IsTruncated>true</IsTruncated><NextContinuationToken>t/+=</NextContinuationToken>"
                + Self.contents("a+b%2Bc%0a%C3%BC&amp;") + "<CommonPrefixes><Prefix>d%25/</Prefix></CommonPrefixes>"
                + "<EncodingType>url</EncodingType>")
        #expect(page.objects.map(\.key) == [Array("a b+c\nü&".utf8)])
        #expect(page.objects.first?.modified == 1_255_369_830)
        #expect(page.objects.first?.etag == "\"e\"")
        #expect(page.prefixes == [Array("d%/".utf8)])
        #expect(page.next == "t/+=")
    }

    @Test func takesKeysAsTheyAreWhereNothingIsEncoded() throws {
        let page = try Self.parse(Self.contents("a+b%41 &lt;") + "<IsTruncated>false</IsTruncated>")
        #expect(page.objects.map(\.key) == [Array("a+b%41 <".utf8)])
        #expect(page.next == nil)
    }

    @Test(arguments: [
        Self.contents(""), Self.contents("a", "-1"), Self.contents("a", "many"), "<IsTruncated>true</IsTruncated>",
        "<Contents><Key>a</Key></Contents>",
    ]) func refuses(_ body: String) { #expect(throws: ListPage.Broken.self) { try Self.parse(body) } }

    @Test func refusesWhatIsNoListing() {
        #expect(throws: ListPage.Broken.self) { try Self.parse("", root: "html") }
        #expect(throws: ListPage.Broken.self) { try ListPage.parse(Data("<ListBucketResult><Contents>".utf8)) }
        #expect(throws: ListPage.Broken.self) { try ListPage.parse(Data()) }
        let many = String(repeating: Self.contents("a"), count: 10_001)
        #expect(throws: ListPage.Broken.self) { try Self.parse(many) }
    }
}

@Suite struct ObjectFactsTests {
    @Test(
        arguments: [
            ("1700000000.123456789", 1_700_000_000, 123_456_789), ("1700000000.5", 1_700_000_000, 500_000_000),
            ("0", 0, nil), ("-1", -1, nil), ("-1.25", -2, 750_000_000), ("-0.5", -1, 500_000_000),
            ("1700000000.1234567899", 1_700_000_000, 123_456_789),
        ] as [(String, Int, Int?)]) func times(_ text: String, _ seconds: Int, _ nanoseconds: Int?) throws
    {
        let time = try #require(ObjectFacts.time(text))
        #expect(time.seconds == seconds && time.nanoseconds == nanoseconds)
        let facts = FileFacts(kind: .file, modified: seconds, nanoseconds: nanoseconds)
        #expect(try #require(ObjectFacts.time(ObjectFacts.text(facts))) == time)
    }

    @Test(arguments: ["", "soon", "1e9", "99999999999999999999", "-9223372036854775808", "nan", "1 2"])
    func noTimes(_ text: String) {
        #expect(ObjectFacts.time(text) == nil)
    }

    @Test func etags() throws {
        let md5 = "0cc175b9c0f1b6a831c399e269772661"
        #expect(ObjectFacts.md5("\"\(md5)\"") == md5)
        #expect(ObjectFacts.md5("\"\(md5.uppercased())\"") == md5)
        #expect(ObjectFacts.md5("\"\(md5)-2\"") == nil)
        #expect(ObjectFacts.md5("\"" + String(repeating: "g", count: 32) + "\"") == nil)
        // md5 of the md5s of "a" and "b", as bytes.
        let other = "92eb5ffee6ae2fec3ad71c777531578f"
        #expect(try MultipartUpload.etag([md5, other]) == "96e024ba2074fe77e8e965ba43a704be-2")
    }

    @Test func parts() {
        #expect(Limits.parts(11, wanted: 5) == [0..<5, 5..<10, 10..<11])
        #expect(Limits.parts(10, wanted: 5).count == 2)
        #expect(Limits.parts(0, wanted: 5).isEmpty)
        // A listing may say so.
        #expect(Limits.parts(.max, wanted: 5).last?.upperBound == .max)
        let large = 5 << 40
        let parts = Limits.parts(large, wanted: 5 << 20)
        #expect(parts.count <= 10_000 && parts.last?.upperBound == large)
    }

    /// A part that goes up a second time counts once in the whole's checksum, which then says nothing of what arrived.
    @Test func aSourceThatIsReadAgain() async throws {
        let folder = try Folder()
        let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        try content.write(to: URL(fileURLWithPath: folder.path + "/f"))
        let order = ReadOrder(facts: FileFacts(kind: .file, size: content.count))
        let hash = try StreamHash(.md5)
        hash.update(content)
        let sum = hash.finish()
        for again in [nil, 0..<1_000_000, 500_000..<1_000_000] as [Range<Int>?] {
            let source = try PartSource(LocalEnd(worker: folder.path + "/f"), order, hashing: .md5)
            var seen = Data()
            try await source.each(0..<1_000_000, isMoved: true) { _ in }
            if let again { try await source.each(again, isMoved: true) { seen.append($0) } }
            try await source.each(1_000_000..<content.count, isMoved: true) { _ in }
            #expect(again.map { content[$0] == seen } ?? true)
            #expect(await source.wasReread == (again != nil))
            #expect(await source.sum() == sum)
            source.abandon()
        }
    }

    /// However large a file is, its cut says whose it is and in what state; the last part alone says nothing.
    @Test(arguments: [64 << 20, 1 << 30, 400 << 30, 5 << 40]) func ownParts(_ size: Int) {
        func cut(_ seed: String, _ modified: Int, _ version: String? = nil, nanoseconds: Int? = nil) -> [Range<Int>] {
            PartCut.own(
                32 << 20, seed: seed,
                FileFacts(
                    kind: .file, size: size, modified: modified, nanoseconds: nanoseconds, version: version))
        }
        let all = [
            cut("a", 1), cut("b", 1), cut("a", 2), cut("a", 1, "etag"), cut("a", 1, "other"),
            cut("a", 1, nanoseconds: 7),
        ]
        #expect(Set(all.map { $0[0].count }).count == all.count)
        for ranges in all {
            #expect(ranges.count <= Limits.mostParts && ranges.last?.upperBound == size)
            #expect(ranges[0].count >= 32 << 20 && ranges[0].count <= Limits.largest)
        }
        #expect(cut("a", 1) == all[0])
    }
}
