import HaulHTTP
import Testing

@testable import HaulAuth

/// What a request shows of who is asking.
struct ShownTests {
    private static let pair = "qdo_authkey=haul_abc; qdo_username=alice"

    private func shown(_ target: String, _ headers: HTTPHeaders) -> Shown? {
        Shown(HTTPRequestHead(method: "GET", target: target, headers: headers))
    }

    /// Two cookies that belong together, below the dialect that gives them alone.
    @Test func cookies() {
        let alice = Shown.login(user: "alice", secret: "haul_abc")
        #expect(shown("/qdo/alice/queues/", ["Cookie": Self.pair]) == alice)
        #expect(shown("/qdo", ["Cookie": "a=b;qdo_username=alice;  qdo_authkey=haul_abc;c"]) == alice)
        for target in ["/workqueue/api/v1.0/jobs", "/", "/qdo2/x", "/x/qdo", "/uws/qdo", "//qdo"] {
            #expect(shown(target, ["Cookie": Self.pair]) == nil, "\(target)")
        }
        for cookie in [
            "qdo_authkey=haul_abc", "qdo_username=alice", "qdo_authkey=password; qdo_username=alice", "",
            Self.pair + "; qdo_username=bob", Self.pair + "; qdo_authkey=haul_other",
            "qdo_authkey=; qdo_username=alice",
        ] {
            #expect(shown("/qdo/x", ["Cookie": cookie]) == nil, "\(cookie)")
        }
        #expect(shown("/qdo/x", ["Cookie": Self.pair, "X-Token": "haul_other"]) == .token("haul_other"))
        #expect(shown("/qdo/x", ["Cookie": Self.pair, "Authorization": "Bearer haul_other"]) == .token("haul_other"))
        #expect(shown("/qdo/x", ["Cookie": Self.pair, "Authorization": "nonsense"]) == nil)
        // A page of somebody else's that has the browser send them.
        #expect(shown("/qdo/x", ["Cookie": Self.pair, "Sec-Fetch-Site": "cross-site"]) == nil)
        #expect(shown("/qdo/x", ["Cookie": Self.pair, "Origin": "https://evil", "Host": "haul"]) == nil)
        #expect(shown("/qdo/x", ["Cookie": Self.pair, "Origin": "https://haul", "Host": "haul"]) == alice)
    }
}
