import HaulCrypto
import Support
import Testing

/// Signatures of JSON Web Tokens: libcrypto says which are right.
@Suite struct VerificationKeyTests {
    private let message = Array("header.claims".utf8)

    private func key(_ signer: SigningKey) -> VerificationKey? {
        signer.algorithm == "RS256"
            ? VerificationKey(modulus: signer.number("n"), exponent: signer.number("e"))
            : VerificationKey(x: signer.number("qx"), y: signer.number("qy"))
    }

    @Test(arguments: [SigningKey.Kind.rsa(bits: 2048), .rsa(bits: 3072), .ec("P-256")])
    func signatures(kind: SigningKey.Kind) throws {
        let signer = try SigningKey(kind, id: "k")
        let key = try #require(self.key(signer))
        let signature = signer.sign(message)
        #expect(key.algorithm.rawValue == signer.algorithm)
        #expect(key.isRight(signature, of: message))
        #expect(!key.isRight(signature, of: message + [0]))
        #expect(!key.isRight(try SigningKey(kind, id: "k").sign(message), of: message))
        for size in [0, 1, 32, 63, 65, signature.count - 1] {
            #expect(!key.isRight(Array((signature + [0]).prefix(size)), of: message))
        }
        #expect(!key.isRight(signature + [0], of: message))
        #expect(!key.isRight([UInt8](repeating: 0, count: signature.count), of: message))
        for place in [0, signature.count / 2, signature.count - 1] {
            var broken = signature
            broken[place] ^= 1
            #expect(!key.isRight(broken, of: message))
        }
    }

    /// Of RSA 2048 bits at least and 8192 at most, an exponent that hides something, no even modulus.
    @Test func weakRSA() throws {
        let short = try SigningKey(.rsa(bits: 1024), id: "k")
        #expect(VerificationKey(modulus: short.number("n"), exponent: short.number("e")) == nil)
        let good = try SigningKey(.rsa(bits: 2048), id: "k").number("n")
        #expect(VerificationKey(modulus: good, exponent: [1, 0, 1]) != nil)
        let even = Array(good.dropLast()) + [good[good.count - 1] & 0xFE]
        for (modulus, exponent) in [
            (good, [1]), (good, [0]), (good, []), (good, [2]), (good, [UInt8](repeating: 0xFF, count: 9)), (even, [3]),
            ([], [1, 0, 1]), ([0], [3]), ([UInt8](repeating: 0xFF, count: 1025), [3]),
            ([UInt8](repeating: 0xFF, count: 1_000_000), [3]),
        ] { #expect(VerificationKey(modulus: modulus, exponent: exponent) == nil, "\(modulus.count) \(exponent)") }
    }

    /// A point has to be on P-256, and in 32 bytes a coordinate.
    @Test func points() throws {
        let signer = try SigningKey(id: "k")
        let (x, y) = (signer.number("qx"), signer.number("qy"))
        #expect(VerificationKey(x: x, y: y) != nil)
        var moved = y
        moved[31] ^= 1
        let zero = [UInt8](repeating: 0, count: 32)
        for (x, y) in [(x, moved), (zero, zero), (y, x), (Array(x.dropFirst()), y), ([0] + x, y), ([], [])] {
            #expect(VerificationKey(x: x, y: y) == nil)
        }
        let other = try SigningKey(.ec("P-384"), id: "k")
        #expect(VerificationKey(x: other.number("qx"), y: other.number("qy")) == nil)
    }

    /// base64url and back; two texts never mean the same bytes.
    @Test func base64url() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            #expect(Text.bytes(base64url: Text.base64url(bytes)[...]) == bytes)
        }
        #expect(Text.bytes(base64url: "_-8") == [0xFF, 0xEF])
        for bad in [
            "A", "AAAAA", "AA==", "AA=", "AB", "AAB", "+/8", "AA A", "AA\n", " ", "é", "AAA\u{0}", "____\u{301}",
        ] {
            #expect(Text.bytes(base64url: bad[...]) == nil, "\(bad)")
        }
    }
}
