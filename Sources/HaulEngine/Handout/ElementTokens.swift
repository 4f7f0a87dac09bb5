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
        "\(attempt).\(Text.base64url(mac(attempt)))"
    }

    /// The attempt that a token was made for; nil for what we did not make.
    func attempt(of token: String) -> AttemptID? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, let job = Int(parts[0]), let element = Int(parts[1]), let number = Int(parts[2])
        else { return nil }
        let attempt = AttemptID(jobID: job, elementID: element, number: number)
        let expected = self.token(for: attempt)
        return Hash.equal(Array(expected.utf8), Array(token.utf8)) ? attempt : nil
    }

    private func mac(_ attempt: AttemptID) -> [UInt8] {
        Hash.keyed(Array("element-token:\(attempt)".utf8), key: key)
    }
}
