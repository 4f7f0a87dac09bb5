import HaulCrypto
import Testing

/// Against the answers that AWS published.
@Suite struct SigV4Tests {
    static let start: Void = { _ = Sodium.start() }()

    /// "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk", examples, Amazon S3
    /// API Reference: 2013-05-24T00:00:00Z.
    static let s3 = SigV4(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1")

    struct Example: Sendable, CustomTestStringConvertible {
        var method = "GET"
        var path = "/"
        var query: [(String, String)] = []
        var headers: [(name: String, value: String)] = []
        var payload = SigV4.Payload.empty
        var signed: String
        var signature: String
        var testDescription: String { "\(method) \(path) \(query)" }
    }

    static let examples = [
        Example(
            path: "/test.txt", headers: [("Range", "bytes=0-9")],
            signed: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Example(
            method: "PUT", path: SigV4.encoded(path: "/test$file.text".utf8),
            headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: .bytes(Array("Welcome to Amazon S3.".utf8)),
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Example(
            query: [("lifecycle", "")], signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Example(
            query: [("prefix", "J"), ("max-keys", "2")], signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test(arguments: examples) func asAmazonS3Documents(_ example: Example) {
        _ = Self.start
        let headers = Self.s3.sign(
            example.method, host: "examplebucket.s3.amazonaws.com", path: example.path, query: example.query,
            headers: example.headers, payload: example.payload, time: 1_369_353_600)
        #expect(Self.value("x-amz-date", headers) == "20130524T000000Z")
        #expect(Self.value("x-amz-content-sha256", headers) == example.payload.text)
        #expect(
            Self.value("Authorization", headers)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=\(example.signed), Signature=\(example.signature)")
    }

    /// The "AWS Signature Version 4 Test Suite": get-vanilla-query-order-key-case, get-header-value-trim,
    /// post-sts-header-before; 2015-08-30T12:36:00Z.
    @Test func asTheTestSuiteHasIt() {
        _ = Self.start
        var signer = SigV4(
            accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1")
        signer.service = "service"
        func signature(
            _ method: String, _ query: [(String, String)] = [], _ headers: [(name: String, value: String)] = []
        ) -> String {
            let signed = signer.sign(
                method, host: "example.amazonaws.com", path: "/", query: query, headers: headers, payload: .empty,
                time: 1_440_938_160)
            return String(Self.value("Authorization", signed).suffix(64))
        }
        #expect(
            signature("GET", [("Param2", "value2"), ("Param1", "value1")])
                == "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
        #expect(
            signature("GET", [], [("My-Header1", " value1"), ("My-Header2", "\"a   b   c\"")])
                == "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736")
        signer.sessionToken =
            "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfK"
            + "D8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd"
            + "8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3"
            + "iSIlTJabIQwj2ICCR/oLxBA=="
        #expect(signature("POST") == "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead")
    }

    /// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
    @Test func authenticatesAsTheRFC() {
        _ = Self.start
        func digits(_ text: String, _ key: [UInt8]) -> String { Text.hex(HMAC.sha256(Array(text.utf8), key: key)) }
        #expect(
            digits("Hi There", [UInt8](repeating: 0x0b, count: 20))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            digits("what do ya want for nothing?", Array("Jefe".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            digits(
                "Test Using Larger Than Block-Size Key - Hash Key First", [UInt8](repeating: 0xaa, count: 131))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test(arguments: [
        ("/a+b/c d", "/a%2Bb/c%20d"), ("/a//../%41", "/a//../%2541"), ("/ü\n'\"<&>~", "/%C3%BC%0A%27%22%3C%26%3E~"),
        ("/-rf*", "/-rf%2A"),
    ]) func encodesPathsOnce(_ path: String, _ encoded: String) { #expect(SigV4.encoded(path: path.utf8) == encoded) }

    @Test func sortsTheQueryAsItIsSent() {
        let query = [("uploads", ""), ("b", "2"), ("b", "1"), ("B", "/ +"), ("a-", "x"), ("a", "y")]
        #expect(SigV4.encoded(query: query) == "B=%2F%20%2B&a=y&a-=x&b=1&b=2&uploads=")
    }

    @Test(arguments: [
        ("https://h:443", "h"), ("http://h:80", "h"), ("https://h:80", "h:80"), ("http://[::1]:9000", "[::1]:9000"),
    ]) func hosts(_ origin: String, _ host: String) { #expect(SigV4.host(ofOrigin: origin) == host) }

    @Test(arguments: [
        (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
        (951_868_800, "20000301T000000Z"), (4_107_542_399, "21000228T235959Z"), (4_107_542_400, "21000301T000000Z"),
        (-1, "19691231T235959Z"),
    ]) func dates(_ seconds: Int, _ stamp: String) {
        _ = Self.start
        let headers = Self.s3.sign("GET", host: "h", path: "/", payload: .unsigned, time: seconds)
        #expect(Self.value("x-amz-date", headers) == stamp)
        #expect(Self.value("x-amz-content-sha256", headers) == "UNSIGNED-PAYLOAD")
    }

    static func value(_ name: String, _ headers: [SigV4.Header]) -> String {
        headers.first { $0.name == name }?.value ?? ""
    }
}
