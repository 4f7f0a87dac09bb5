import HaulConfig
import HaulHTTP

/// `proxies`: those whose word on where a request came from is taken.
struct ProxiesConfig: Decodable, Sendable {
    let trusted: TrustedProxies

    private enum CodingKeys: String, CodingKey { case trusted, header }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(
            String.self, forKey: .header, default: TrustedProxies.Header.xForwardedFor.rawValue)
        let headers = TrustedProxies.Header.allCases
        guard let header = headers.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
            throw ConfigValueError(expected: headers.map(\.rawValue).joined(separator: " or "), key: "header")
        }
        let addresses = try container.decode([String].self, forKey: .trusted)
        guard let trusted = TrustedProxies(addresses, header: header) else {
            throw ConfigValueError(
                expected: "numeric addresses and ranges of them, such as \"127.0.0.1\" and \"10.0.0.0/8\"",
                key: "trusted")
        }
        self.trusted = trusted
    }
}
