/// A question whose reply nobody can have foreseen: one who writes names into a reply (MLSC) can end it early and let
/// the rest of it answer what is asked next, but not this.
struct Echo: Sendable {
    private let word: String

    init() {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16, uppercase: true)
        word = "HAUL" + digits
    }

    var command: String { "HELP \(word)" }

    /// `502 Unknown command 'HAUL5F0C...'.`
    func isAnswered(by reply: FTPReply) -> Bool { reply.lines.count == 1 && reply.text.uppercased().contains(word) }
}
