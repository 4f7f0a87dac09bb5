import HaulEngine
import Testing

@Suite struct SoughtWordsTests {
    @Test func sought() {
        for (words, text, stands) in [
            ("", "", true), ("a", "", false), ("aab", "aaab", true), ("ababac", "abababac", true),
            ("abc", "ababab", false),
            ("ÉT", "/été", true), ("b/", "/a/B/c", true), ("aabaab", "aabaaabaab", true),
        ] { #expect(SoughtWords(words).stand(in: text) == stands, "\(words) in \(text)") }
        // However much it repeats, each byte is looked at about twice.
        let long = String(repeating: "a", count: 1 << 20)
        #expect(!SoughtWords(String(repeating: "a", count: 255) + "b").stand(in: long))
    }
}
