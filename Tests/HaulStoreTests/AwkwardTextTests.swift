import HaulModel
import HaulStore
import Testing

/// Texts come back byte by byte as they were given, one by one and many at once.
@Suite(.timeLimit(.minutes(5))) struct AwkwardTextTests {
    /// To Swift a quote and the accent after it are one letter, to a database they are two.
    private static let texts = [
        "a\"b", "a\"\u{301}b", "\\", "\\\u{308}", "\"\u{301},\"\u{301}", "{", "}", "NULL", "null", "", " ", ",", "'",
        "''", "\u{301}", "é", "e\u{301}", "\\x00", "$1", "%", "\u{1F600}", "\\\\\u{301}\"", "\u{85}", "\u{FEFF}",
    ]

    @Test(arguments: [1, texts.count]) func elements(atOnce: Int) async throws {
        let temporary = try await TemporaryStore()
        let job = try await temporary.register(.copy)
        let elements = Self.texts.enumerated().map { number, text in
            Element(
                jobID: job.id, id: number + 1, type: .copy, phase: .ready, sourcePath: "/" + text,
                destinationPath: text, maxTries: 2, changed: TemporaryStore.now)
        }
        for start in stride(from: 0, to: elements.count, by: atOnce) {
            try await temporary.store.write { try $0.insertElements(Array(elements[start..<start + atOnce])) }
        }
        let read = try await temporary.store.read {
            try $0.elements(ofJob: job.id, status: nil, after: 0, limit: 100)
        }
        #expect(read.map { Array($0.sourcePath.utf8) } == Self.texts.map { Array("/\($0)".utf8) })
        #expect(read.map { $0.destinationPath.map { Array($0.utf8) } } == Self.texts.map { Array($0.utf8) })
    }

    /// PostgreSQL has no text with a zero in it: something stands in its place, and nothing after it is lost.
    @Test(arguments: ["a\0z", "a\0\u{301}z"]) func zeros(text: String) async throws {
        let temporary = try await TemporaryStore()
        let job = try await temporary.register(.copy)
        let elements = (1...20).map { number in
            Element(
                jobID: job.id, id: number, type: .copy, phase: .ready, sourcePath: text, maxTries: 2,
                changed: TemporaryStore.now)
        }
        try await temporary.store.write { try $0.insertElements([elements[0]]) }
        try await temporary.store.write { try $0.insertElements(Array(elements[1...])) }
        let read = try await temporary.store.read {
            try $0.elements(ofJob: job.id, status: nil, after: 0, limit: 100)
        }
        #expect(read.count == 20 && read.allSatisfy { $0.sourcePath.utf8.last == UInt8(ascii: "z") })
    }
}
