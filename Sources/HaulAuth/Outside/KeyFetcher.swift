import HaulHTTP
import HaulModel

/// Why an issuer's keys cannot be had, in one line for the operator.
struct KeyFault: Error, Sendable, CustomStringConvertible {
    let description: String
}

/// Keys as an issuer just gave them.
struct FetchedKeys: Sendable {
    var keys: KeySet
    /// Seconds for which its answer says that they are good; nil where it says nothing.
    var age: Double?
}

/// Fetches an issuer's keys: of the address that is configured, or of the one in its discovery document (OpenID Connect
/// Discovery 1.0, section 4).
struct KeyFetcher: Sendable {
    /// Seconds for one answer, and bytes of one.
    private static let deadline = 10.0
    private static let longest = 256 << 10

    let issuer: Issuer
    let client: HTTPClient

    func fetch() async throws(KeyFault) -> FetchedKeys {
        let answer = try await get(try await address())
        guard let keys = KeySet(answer.body) else { throw KeyFault(description: "its keys are no JSON Web Key Set") }
        return FetchedKeys(keys: keys, age: Self.age(answer.headers))
    }

    private func address() async throws(KeyFault) -> String {
        if let keys = issuer.keys { return keys }
        let base = issuer.url.hasSuffix("/") ? String(issuer.url.dropLast()) : issuer.url
        let answer = try await get(base + "/.well-known/openid-configuration")
        guard let document = try? JSONReader.value(answer.body, refusesDuplicates: true).object else {
            throw KeyFault(description: "its discovery document is no JSON object")
        }
        // Else one issuer could pass for another.
        guard document["issuer"]?.string == issuer.url else {
            throw KeyFault(description: "its discovery document is another issuer's")
        }
        guard let url = document["jwks_uri"]?.string, issuer.mayKeepKeys(at: url) else {
            throw KeyFault(description: "its discovery document has no https address of its keys (jwks_uri)")
        }
        return url
    }

    private func get(_ url: String) async throws(KeyFault) -> HTTPClientResponse {
        let answer: HTTPClientResponse
        do throws(HTTPClientError) {
            answer = try await client.send(
                HTTPClientRequest(
                    url: url, headers: ["Accept": "application/json"], timeout: Self.deadline, maxBody: Self.longest))
        } catch {
            throw KeyFault(description: "\(url): \(error.message)")
        }
        guard answer.status == 200 else { throw KeyFault(description: "\(url): status \(answer.status)") }
        return answer
    }

    /// `max-age` of `Cache-Control`; 0 where nothing is to be kept.
    static func age(_ headers: HTTPHeaders) -> Double? {
        let words = headers.all("Cache-Control").joined(separator: ",").lowercased().split(separator: ",").map {
            $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        }
        if words.contains("no-store") || words.contains("no-cache") { return 0 }
        return words.first { $0.hasPrefix("max-age=") }.flatMap { Double($0.dropFirst(8)) }
            .flatMap { $0 >= 0 ? $0 : nil }
    }
}
