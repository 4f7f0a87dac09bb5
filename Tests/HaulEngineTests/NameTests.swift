import HaulModel
import Testing

@testable import HaulEngine

/// What the engine names for others: log folders, and leases.
@Suite struct NameTests {
    @Test func logFolders() {
        var chance = 0
        let random: (Int) -> [UInt8] = { count in
            (0..<count).map { _ in
                chance &+= 0x9E37_79B9
                return UInt8(truncatingIfNeeded: chance >> 7)
            }
        }
        var all: [String] = []
        for second in 0..<256 {
            let now = Timestamp(milliseconds: 1_700_000_000_000 + second * 1000)
            all += LogUID.make(40, now: now, random: random)
        }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
        // Every folder gets some; those of one moment stand together.
        #expect(Set(all.map { $0.prefix(2) }).count == 256)
        for start in stride(from: 0, to: all.count, by: 40) {
            #expect(Set(all[start..<(start + 40)].map { $0.prefix(14) }).count == 1)
        }
    }

    @Test func leases() {
        let tokens = ElementTokens(key: [UInt8](repeating: 7, count: 32))
        let others = ElementTokens(key: [UInt8](repeating: 8, count: 32))
        for id in [
            AttemptID(jobID: 1, elementID: 0, number: 1), AttemptID(jobID: Int.max, elementID: 123_456, number: 100),
        ] {
            let token = tokens.token(for: id)
            #expect(token.hasPrefix("\(id)."))
            #expect(tokens.attempt(of: token) == id)
            #expect(others.attempt(of: token) == nil)
            for wrong in [
                token + "x", String(token.dropLast()), "0" + token, "\(id)", "\(id).", ".", "", token + ".",
                " " + token,
            ] {
                #expect(tokens.attempt(of: wrong) == nil, "\(wrong)")
            }
            let proof = token.split(separator: ".").last ?? ""
            #expect(tokens.attempt(of: "2.0.1.\(proof)") == nil)
        }
    }
}
