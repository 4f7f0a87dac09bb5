public import Foundation

/// What a job's user shows at its sites (`GET /worker/jobs/J/elements/E/credentials`): kind to secret, in base64.
public struct GivenCredentials: Sendable, Hashable, Codable {
    public var source: [String: Data]
    public var destination: [String: Data]

    public init(source: [String: Data], destination: [String: Data]) {
        self.source = source
        self.destination = destination
    }
}

extension GivenCredentials: Documented {
    public static let schema = Schema.object(
        "GivenCredentials",
        [
            "source": Schema.map(of: .text).about("Kind to secret, in base64"),
            "destination": Schema.map(of: .text).about("Likewise"),
        ])
}
