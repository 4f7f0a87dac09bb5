import Foundation
import Testing

@testable import HaulCrypto

/// When credentials end, as they say themselves.
struct CredentialTimeTests {
    private func token(_ claims: String) -> Data {
        let middle = Data(claims.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
        return Data("eyJhbGciOiJub25lIn0.\(middle).c2lnbmF0dXJl\n".utf8)
    }

    @Test func tokens() {
        #expect(
            CredentialTime.end(token: token(#"{"sub":"x??>","exp":1000000000}"#))
                == Date(timeIntervalSince1970: 1_000_000_000))
        #expect(CredentialTime.end(token: token(#"{"exp":1e9,"a":1}"#)) == Date(timeIntervalSince1970: 1_000_000_000))
        for odd in [#"{"sub":"x"}"#, #"{"exp":"soon"}"#, "no json", "", #"{"exp":null}"#] {
            #expect(CredentialTime.end(token: token(odd)) == nil, "\(odd)")
        }
        for odd in ["", "opaque", "a.b", "..", "a.%%%.c", "a.b.c.d"] {
            #expect(CredentialTime.end(token: Data(odd.utf8)) == nil, "\(odd)")
        }
    }

    /// Made for it: from 2020-01-01 to 2020-01-02, self-signed.
    private static let old = """
        -----BEGIN CERTIFICATE-----
        MIIBEzCBuQIUR0IBsX/BkfcRe8x9ruMR/9MwvVYwCgYIKoZIzj0EAwIwDDEKMAgG
        A1UEAwwBeDAeFw0yMDAxMDEwMDAwMDBaFw0yMDAxMDIwMDAwMDBaMAwxCjAIBgNV
        BAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASzoHunx4JkZ1KbAu2IHCz5
        2+NjP5gBB/b340i/xflCwCUGqo91j9XkD/69+iNXpvI3szEewjJSxIXAjxMEVz0p
        MAoGCCqGSM49BAMCA0kAMEYCIQCsrz1gOvCX9sTOIr6p2FoDGjc0+vTyFg4cCPBN
        8w2FzAIhAKqXr/tfAJcIDOaZ23MuzpqPEwOnebHbYApi7AT5da+0
        -----END CERTIFICATE-----

        """

    /// Good until 2048.
    private static let later = """
        -----BEGIN CERTIFICATE-----
        MIIBEzCBuQIUUCEKvLsTfYIbr+3wnzYydHsq4xgwCgYIKoZIzj0EAwIwDDEKMAgG
        A1UEAwwBeDAeFw0yMDAxMDEwMDAwMDBaFw00ODAxMDIwMDAwMDBaMAwxCjAIBgNV
        BAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASwWyWL/13mKq93o2/oH2Xz
        pQM/nEyqRzp+58OuYYS56z9FvdZAeduZ2d/JjycOAhiZlQGozDdN/x+CCEeuXs+A
        MAoGCCqGSM49BAMCA0kAMEYCIQD+whWLz05ox1OhaUjtufqZ7KTvWsxODv5DnYwk
        4BaewwIhAIdnHybPCWCA2SymVDNZ1mWjIxWEMauMruE4I+Mynuvw
        -----END CERTIFICATE-----

        """

    @Test func proxies() {
        #expect(CredentialTime.end(x509: Data(Self.old.utf8)) == Date(timeIntervalSince1970: 1_577_923_200))
        let twice = Data((Self.later + Self.old + Self.later).utf8)
        #expect(CredentialTime.end(x509: twice) == Date(timeIntervalSince1970: 1_577_923_200))
        for odd in ["", "no proxy", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            #expect(CredentialTime.end(x509: Data(odd.utf8)) == nil, "\(odd)")
        }
    }
}
