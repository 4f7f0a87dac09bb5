import Foundation
import HaulCrypto
public import HaulHTTP
public import HaulModel
import Synchronization

/// An OpenID Connect issuer on the loopback interface: its discovery document, its keys, and tokens that it signs.
public final class TestIssuer: Sendable {
    private struct State: Sendable {
        var keys: [JSONValue] = []
        var headers: HTTPHeaders = [:]
        /// What the keys' address answers; nil are the keys.
        var answer: HTTPResponse?
        var fetches = 0
        var isHolding = false
        var held: [CheckedContinuation<Void, Never>] = []
        /// What the discovery document has otherwise.
        var discovery: [String: JSONValue] = [:]
        /// What is answered instead of it.
        var discoveryAnswer: HTTPResponse?
        var discoveries = 0
    }

    public let key: SigningKey
    private let state: Box
    private let server: HTTPServer

    private final class Box: Sendable {
        let state = Mutex(State())
    }

    /// An issuer that answers, with one key.
    public init(_ kind: SigningKey.Kind = .ec("P-256"), keyID: String = "k1") throws {
        key = try SigningKey(kind, id: keyID)
        let box = Box()
        state = box
        box.state.withLock { [key] in $0.keys = [.object(key.document)] }
        server = HTTPServer(
            configuration: HTTPServerConfiguration(), bodyLimit: { _ in 0 },
            handler: { request in await Self.answer(request, box) })
        try server.start()
    }

    public func stop() async {
        release()
        await server.stop(grace: 0)
    }

    public var url: String { "http://127.0.0.1:\(server.port)" }
    public var keysURL: String { url + "/jwks" }
    /// How often its keys were asked for.
    public var fetches: Int { state.state.withLock { $0.fetches } }

    /// Publishes other keys.
    public func publish(_ keys: [JSONValue], headers: HTTPHeaders = [:]) {
        state.state.withLock { ($0.keys, $0.headers) = (keys, headers) }
    }

    public func publish(_ keys: [SigningKey]) { publish(keys.map { .object($0.document) }) }

    /// Answers something else than its keys; nil: its keys again.
    public func answer(_ response: HTTPResponse?) { state.state.withLock { $0.answer = response } }

    public func changeDiscovery(_ fields: [String: JSONValue]) { state.state.withLock { $0.discovery = fields } }

    /// Answers something else than its discovery document; nil: that again.
    public func answerDiscovery(_ response: HTTPResponse?) { state.state.withLock { $0.discoveryAnswer = response } }

    /// How often its discovery document was asked for.
    public var discoveries: Int { state.state.withLock { $0.discoveries } }

    /// Whoever asks for its keys from now on waits.
    public func hold() { state.state.withLock { $0.isHolding = true } }

    public func release() {
        let held = state.state.withLock { state in
            state.isHolding = false
            defer { state.held = [] }
            return state.held
        }
        for waiter in held { waiter.resume() }
    }

    /// A token that it signs: about `subject`, for `audience`, good for an hour; nil in `claims` takes one away.
    public func token(
        _ subject: String, audience: JSONValue = "haul", _ claims: [String: JSONValue?] = [:],
        header: [String: JSONValue?] = [:], key other: SigningKey? = nil
    ) -> String {
        let now = Int(Date().timeIntervalSince1970)
        let all: [String: JSONValue?] = [
            "iss": .string(url), "sub": .string(subject), "aud": audience, "exp": .int(now + 3600), "iat": .int(now),
        ]
        let key = other ?? key
        let head: [String: JSONValue?] = ["alg": .string(key.algorithm), "kid": .string(key.id), "typ": "JWT"]
        return Self.token(
            header: JSONValue.object(head.merging(header) { $1 }.compactMapValues(\.self)).text,
            claims: JSONValue.object(all.merging(claims) { $1 }.compactMapValues(\.self)).text, sign: key.sign)
    }

    /// A token of any text.
    public static func token(header: String, claims: String, sign: ([UInt8]) -> [UInt8]) -> String {
        let signed = Text.base64url(Array(header.utf8)) + "." + Text.base64url(Array(claims.utf8))
        return signed + "." + Text.base64url(sign(Array(signed.utf8)))
    }

    private static func answer(_ request: HTTPRequest, _ box: Box) async -> HTTPResponse {
        let host = "http://\(request.headers["Host"] ?? "")"
        switch request.path {
        case "/.well-known/openid-configuration":
            let fields: [String: JSONValue] = ["issuer": .string(host), "jwks_uri": .string(host + "/jwks")]
            let (more, other) = box.state.withLock { state in
                state.discoveries += 1
                return (state.discovery, state.discoveryAnswer)
            }
            if let other { return other }
            return HTTPResponse(text: JSONValue.object(fields.merging(more) { $1 }).text)
        case "/jwks":
            box.state.withLock { $0.fetches += 1 }
            await withCheckedContinuation { continuation in
                let waits = box.state.withLock { state in
                    if state.isHolding { state.held.append(continuation) }
                    return state.isHolding
                }
                if !waits { continuation.resume() }
            }
            return box.state.withLock { state in
                if let answer = state.answer { return answer }
                var response = HTTPResponse(text: JSONValue.object(["keys": .array(state.keys)]).text)
                for field in state.headers.fields { response.headers.set(field.name, field.value) }
                return response
            }
        default: return HTTPResponse(status: 404)
        }
    }
}
