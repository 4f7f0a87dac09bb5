import HaulModel
import Testing

/// What of a user's credentials is shown where.
struct CredentialTests {
    private func credential(_ id: Int, _ kind: String, site: Int?, of user: String = "alice") -> Credential {
        Credential(
            id: id, userID: 1, userName: user, siteID: site, kind: kind, subject: "", expires: nil,
            changed: Timestamp(milliseconds: 0), revision: 1)
    }

    private func site(_ id: Int, owner: String? = nil) -> Site {
        Site(id: id, name: "s\(id)", protocolName: .ssh, endpoints: [], access: SiteAccess(owner: owner))
    }

    @Test func whereTheyAreShown() {
        let all = [
            credential(1, "ssh-key", site: nil), credential(2, "ssh-key", site: 7), credential(3, "bearer", site: 7),
            credential(4, "x509-proxy", site: nil), credential(5, "bearer", site: 8),
        ]
        for credentials in [all, all.reversed()] {
            func ids(_ site: Site, _ kinds: String...) -> [String: Int] {
                credentials.shown(at: site, kinds: kinds).mapValues(\.id)
            }
            #expect(ids(site(7), "ssh-key", "bearer") == ["ssh-key": 2, "bearer": 3], "the site's own first")
            #expect(ids(site(9), "ssh-key", "bearer") == ["ssh-key": 1])
            #expect(ids(site(9), "s3-key").isEmpty)
            #expect(ids(site(7, owner: "alice"), "bearer") == ["bearer": 3])
            #expect(
                ids(site(9, owner: "alice"), "ssh-key", "x509-proxy").isEmpty, "what is for every site is not for those"
            )
            // Neither what is for every site, nor what was kept for it while it was somebody else's.
            #expect(ids(site(7, owner: "mallory"), "ssh-key", "bearer", "x509-proxy").isEmpty)
        }
    }
}
