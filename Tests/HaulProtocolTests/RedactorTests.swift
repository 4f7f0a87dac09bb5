import Foundation
import Testing

@testable import HaulProtocol

/// What a batch's credentials hold, in whatever it stands.
struct RedactorTests {
    @Test(arguments: [
        "Bearer SECRET1", "SECRET1", "SECRET1SECRET1", "xSECRET1\u{301}", "a\u{301}SECRET1\u{200d}b", "\nSECRET1\r\n",
    ])
    func aTokenIsGone(_ text: String) {
        let told = Data(Redactor(contents: [Data("SECRET1\n".utf8)]).redact(text).utf8)
        #expect(told.range(of: Data("[redacted]".utf8)) != nil)
        #expect(told.range(of: Data("SECRET1".utf8)) == nil)
    }

    @Test func allElseStays() {
        let redactor = Redactor(contents: [Data("user:PASSWORD\n".utf8), Data("SECRET1".utf8)])
        for text in ["", "no secret", "SECRET", "pässword", "\r\n"] { #expect(redactor.redact(text) == text) }
        #expect(redactor.redact("a PASSWORD b SECRET1 c") == "a [redacted] b [redacted] c")
    }
}
