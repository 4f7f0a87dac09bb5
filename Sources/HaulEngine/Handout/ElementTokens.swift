import HaulCrypto
import HaulModel
import HaulStore

/// The tokens that prove leases: `JOB.ELEMENT.ATTEMPT.MAC`. Nothing has to be stored to check one; whether its lease
/// still holds is in the attempt's row.
struct ElementTokens: Sendable {
    private let key: [UInt8]

    /// - Parameter key: 32 bytes that the servers of one database share.
    init(key: [UInt8]) { self.key = key }

    func token(for attempt: AttemptID) -> String {
        let name = attempt.description
        return name + "." + proof(of: name.utf8)
    }

    /// The attempt that a token was made for; nil for what we did not make.
    func attempt(of token: String) -> AttemptID? {
        let bytes = Array(token.utf8)
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")),
            // Whatever name has this proof is one that we wrote, the way in which we write them.
            Hash.equal(Array(proof(of: bytes[..<dot]).utf8), Array(bytes[(dot + 1)...]))
        else { return nil }
        let parts = bytes[..<dot].split(separator: UInt8(ascii: ".")).map { Int(String(decoding: $0, as: UTF8.self)) }
        guard parts.count == 3, let job = parts[0], let element = parts[1], let number = parts[2] else { return nil }
        return AttemptID(jobID: job, elementID: element, number: number)
    }

    private func proof(of name: some Collection<UInt8>) -> String {
        Text.base64url(Hash.keyed(Self.prefix + name, key: key))
    }

    /// What else is made of the key is made of other words.
    private static let prefix = Array("element-token:".utf8)
}
