import HaulCrypto
import HaulHTTP
import HaulModel
import Support
import Synchronization
import Testing

@testable import HaulAuth

/// When an issuer is asked for its keys, and what is done while it does not answer.
@Suite(.timeLimit(.minutes(5))) struct KeySourceTests {
    /// An issuer whose answers the test gives, and a clock that it sets.
    private final class World: Sendable {
        private struct State {
            var now = TokenTests.now
            var keys: [SigningKey]
            var age: Double?
            var isAway = false
            var fetches = 0
            var told: [String?] = []
            var waiting: [CheckedContinuation<Void, Never>]? = nil
        }

        private let state: Mutex<State>

        init(_ keys: [SigningKey]) { state = Mutex(State(keys: keys)) }

        var fetches: Int { state.withLock { $0.fetches } }
        var told: [String?] { state.withLock { $0.told } }
        var waiting: Int { state.withLock { $0.waiting?.count ?? 0 } }
        func pass(seconds: Double) { state.withLock { $0.now = $0.now.adding(seconds: seconds) } }
        func publish(_ keys: [SigningKey], age: Double? = nil) { state.withLock { ($0.keys, $0.age) = (keys, age) } }
        func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }
        func hold() { state.withLock { $0.waiting = [] } }
        func release() {
            for waiter in state.withLock({ state in
                defer { state.waiting = nil }
                return state.waiting ?? []
            }) { waiter.resume() }
        }

        func source() -> KeySource {
            KeySource(now: { self.state.withLock { $0.now } }) { () async throws(KeyFault) in
                await self.wait()
                let (keys, age, isAway) = self.state.withLock { ($0.keys, $0.age, $0.isAway) }
                guard !isAway, let set = KeySetTests.set(keys.map(\.document)) else {
                    throw KeyFault(description: "nobody answers")
                }
                return FetchedKeys(keys: set, age: age)
            } onChange: { cause in
                self.state.withLock { $0.told.append(cause) }
            }
        }

        private func wait() async {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    state.fetches += 1
                    state.waiting?.append(continuation)
                    return state.waiting != nil
                }
                if !waits { continuation.resume() }
            }
        }
    }

    private func token(_ key: SigningKey) throws -> JSONWebToken {
        try JSONWebToken(
            TestIssuer.token(header: #"{"alg":"ES256","kid":"\#(key.id)"}"#, claims: "{}", sign: key.sign))
    }

    /// Keys are kept for an hour, or for as long as the issuer says within a minute and a day.
    @Test(arguments: [(nil, 3600.0), (0.0, 60.0), (600.0, 600.0), (1e9, 86_400.0)])
    func kept(age: Double?, seconds: Double) async throws {
        let key = try SigningKey(id: "a")
        let world = World([key])
        world.publish([key], age: age)
        let source = world.source()
        let token = try token(key)
        for _ in 0..<3 { #expect(await source.candidates(for: token).count == 1) }
        #expect(world.fetches == 1)
        world.pass(seconds: seconds - 1)
        #expect(await source.candidates(for: token).count == 1 && world.fetches == 1)
        world.pass(seconds: 2)
        #expect(await source.candidates(for: token).count == 1)
        try await eventually("they are renewed") { world.fetches == 2 }
    }

    /// An issuer that hangs while its keys are renewed keeps nobody waiting: those that were there are good.
    @Test func hangs() async throws {
        let key = try SigningKey(id: "a")
        let world = World([key])
        let source = world.source()
        let token = try token(key)
        #expect(await source.candidates(for: token).count == 1)
        world.pass(seconds: 3601)
        world.hold()
        for _ in 0..<3 { #expect(await source.candidates(for: token).count == 1) }
        try await eventually("one fetch hangs") { world.waiting == 1 }
        #expect(world.fetches == 2)
        world.release()
    }

    /// A new key is fetched when a token names it, a withdrawn one is worth nothing from then on; tokens that name what is
    /// not there make a fetch in ten seconds and no more.
    @Test func rotation() async throws {
        let (old, new) = (try SigningKey(id: "a"), try SigningKey(id: "b"))
        let world = World([old])
        let source = world.source()
        #expect(await source.candidates(for: try token(old)).count == 1)
        world.publish([new])
        #expect(await source.candidates(for: try token(new)).isEmpty && world.fetches == 1, "too soon")
        world.pass(seconds: 10)
        #expect(await source.candidates(for: try token(new)).count == 1 && world.fetches == 2)
        #expect(await source.candidates(for: try token(old)).isEmpty && world.fetches == 2)
        let stranger = try token(try SigningKey(id: "stranger"))
        for second in 0..<100 {
            world.pass(seconds: 1)
            #expect(await source.candidates(for: stranger).isEmpty)
            #expect(world.fetches <= 3 + second / 10)
        }
        #expect(await source.candidates(for: try token(new)).count == 1)
    }

    /// All who wait, wait for one fetch; others that have a key do not wait.
    @Test func together() async throws {
        let (old, new) = (try SigningKey(id: "a"), try SigningKey(id: "b"))
        let world = World([old])
        let source = world.source()
        let (first, second) = (try token(old), try token(new))
        #expect(await source.candidates(for: first).count == 1)
        world.publish([old, new])
        world.pass(seconds: 20)
        world.hold()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await source.candidates(for: second).count } }
            try await eventually("the fetch begins") { world.waiting == 1 }
            #expect(await source.candidates(for: first).count == 1, "does not wait")
            world.release()
            for try await count in group { #expect(count == 1) }
        }
        #expect(world.fetches == 2)
    }

    /// While the issuer is away its keys are good for a day, it is asked every ten seconds, and the operator is told once.
    @Test func away() async throws {
        let key = try SigningKey(id: "a")
        let world = World([key])
        let source = world.source()
        let token = try token(key)
        world.setAway(true)
        for _ in 0..<3 { #expect(await source.candidates(for: token).isEmpty) }
        #expect(world.fetches == 1 && world.told == ["nobody answers"])
        world.setAway(false)
        world.pass(seconds: 10)
        #expect(await source.candidates(for: token).count == 1 && world.told == ["nobody answers", nil])
        world.setAway(true)
        world.pass(seconds: 3600)
        for _ in 0..<3 { #expect(await source.candidates(for: token).count == 1) }
        try await eventually("it was asked") { world.fetches == 3 && world.told.count == 3 }
        world.pass(seconds: 86_400 - 3600)
        #expect(await source.candidates(for: token).count == 1)
        world.pass(seconds: 1)
        #expect(await source.candidates(for: token).isEmpty, "too old")
        #expect(world.told == ["nobody answers", nil, "nobody answers"])
        world.setAway(false)
        // Whatever the clock does.
        world.pass(seconds: -1_000_000)
        #expect(await source.candidates(for: token).count == 1)
    }
}

/// Sets of keys: which of them count, and for which token.
@Suite struct KeySetTests {
    static func set(_ keys: [[String: JSONValue]]) -> KeySet? {
        KeySet(Array(JSONValue.object(["keys": .array(keys.map(JSONValue.object))]).text.utf8))
    }

    private func count(_ keys: [[String: JSONValue]], _ header: String) throws -> Int? {
        let token = try JSONWebToken(TestIssuer.token(header: header, claims: "{}") { _ in [] })
        return Self.set(keys)?.candidates(for: token).count
    }

    @Test func choice() throws {
        let (a, b) = (try SigningKey(id: "a"), try SigningKey(id: "b"))
        let r = try SigningKey(.rsa(bits: 2048), id: "a")
        let all = [a.document, b.document, r.document]
        #expect(try count(all, #"{"alg":"ES256","kid":"a"}"#) == 1)
        #expect(try count(all, #"{"alg":"RS256","kid":"a"}"#) == 1)
        #expect(try count(all, #"{"alg":"RS256","kid":"b"}"#) == 0)
        #expect(try count(all, #"{"alg":"ES256","kid":"A"}"#) == 0)
        #expect(try count(all, #"{"alg":"ES256","kid":""}"#) == 0)
        // One that names no key: only where there is no choice.
        #expect(try count(all, #"{"alg":"RS256"}"#) == 1 && count(all, #"{"alg":"ES256"}"#) == 0)
    }

    @Test func refused() throws {
        let key = try SigningKey(id: "a")
        let header = #"{"alg":"ES256","kid":"a"}"#
        for change: [String: JSONValue] in [
            ["use": "enc"], ["key_ops": ["sign"]], ["key_ops": "verify"], ["alg": "ES384"], ["alg": "RS256"],
            ["alg": 5],
            ["crv": "P-384"], ["crv": "secp256k1"], ["kty": "oct", "k": "AAAA"], ["kty": "RSA"], ["x": "AA"],
            ["x": "?"],
            ["y": .null], ["kid": 5],
        ] { #expect(try count([key.document.merging(change) { $1 }], header) == 0, "\(change)") }
        for change: [String: JSONValue] in [["key_ops": ["verify"]], ["alg": "ES256"], ["x5c": ["x"]]] {
            #expect(try count([key.document.merging(change) { $1 }], header) == 1, "\(change)")
        }
        let other = try SigningKey(.ec("P-384"), id: "a")
        #expect(try count([other.document], header) == 0)
        for text in ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[],"keys":[]}"#, #"{"keys":[]} x"#] {
            #expect(KeySet(Array(text.utf8)) == nil)
        }
        #expect(KeySet(Array(#"{"keys":[1,null,[],"x",{}]}"#.utf8)) != nil)
        let many = (0..<200).map { key.document.merging(["kid": .string("\($0)")]) { $1 } }
        #expect(try count(many, #"{"alg":"ES256","kid":"99"}"#) == 1)
        #expect(try count(many, #"{"alg":"ES256","kid":"100"}"#) == 0)
    }

    @Test(arguments: [
        (["public, max-age=300"], 300.0), (["max-age=\"20\""], 20), (["no-store"], 0), (["max-age=5, no-cache"], 0),
        (["MAX-AGE = 7"], 7), (["private", "max-age=9"], 9), (["max-age=-5"], nil), (["max-age=x"], nil), ([], nil),
    ])
    func ages(values: [String], expected: Double?) {
        var headers = HTTPHeaders()
        for value in values { headers.append("Cache-Control", value) }
        #expect(KeyFetcher.age(headers) == expected)
    }
}
