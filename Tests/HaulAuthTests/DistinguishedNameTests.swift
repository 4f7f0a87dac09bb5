import HaulAuth
import Testing

/// Subjects of certificates: which are the same, and which only look so.
@Suite struct DistinguishedNameTests {
    @Test(arguments: [
        ("CN=worker-1,O=site,C=CH", "/C=CH/O=site/CN=worker-1"), ("cn=w,o=s", "CN=w, O=s"), ("CN=w , O=s", "CN=w,O=s"),
        ("CN=host/www.example.org,O=s", "/O=s/CN=host/www.example.org"), ("CN=a\\,b,O=s", "/O=s/CN=a,b"),
        ("CN=a\\2Cb", "CN=a\\,b"), ("CN=\\C3\\A9", "CN=é"), ("CN=a\\ ", "CN=a\\20"), ("EMAIL=a@b", "/emailAddress=a@b"),
        ("CN=a+UID=b,O=s", "UID=b+CN=a,O=s"), ("CN=a=b", "/CN=a=b"), ("CN=a/b=c d", "CN=a/b\\=c d"), ("CN=", "/CN="),
        ("E=\u{652}", "/E=\u{652}"),
        ("1.2.3=#0c0161", "/1.2.3=#0c0161"), (#"CN=\"x\""#, #"/CN="x""#), ("CN=a\\+b", "/CN=a+b"),
    ])
    func same(one: String, other: String) throws {
        #expect(try #require(DistinguishedName(one)) == #require(DistinguishedName(other)))
    }

    /// What somebody could have signed for themselves to look like another.
    @Test(arguments: [
        ("CN=x/CN=worker-1,O=site", "/O=site/CN=x/CN=worker-1"), ("CN=worker-1\\,O=site", "CN=worker-1,O=site"),
        ("CN=worker-1,O=site", "O=site,CN=worker-1"), ("CN=worker-1,O=site", "CN=worker-1,O=site,C=CH"),
        ("CN=worker-1", "CN=Worker-1"), ("CN=worker-1", "CN=worker-1\\ "), ("CN=worker-1", "OU=worker-1"),
        ("CN=a+UID=b", "CN=a,UID=b"), ("CN=a+UID=b", "CN=a\\+UID\\=b"), ("CN=worker-1", "CN=worker-1,CN=worker-1"),
        ("CN=a\\00b", "CN=a"), ("CN=a", "/CN=a/"), ("CN=a\\2FCN\\=b", "/CN=a/CN=b"),
    ])
    func different(one: String, other: String) throws {
        #expect(try #require(DistinguishedName(one)) != #require(DistinguishedName(other)))
    }

    @Test(arguments: [
        "", "/", "worker-1", "/worker-1", "CN", "=x", "CN=a,", "CN=a,b", "CN=a;O=b", "CN=\"a\"", "CN=a\\", "CN=a\\x",
        "CN=\\FF",
        ",CN=a", "CN=a,,O=b", "C N=a", "CN=a\u{0}", "/=x",
    ])
    func none(text: String) { #expect(DistinguishedName(text) == nil) }
}
