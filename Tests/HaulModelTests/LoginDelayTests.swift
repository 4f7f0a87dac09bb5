import HaulModel
import Testing

@Suite struct LoginDelayTests {
    /// Nothing for those that are free, then twice as long each time, up to the longest, however many there are.
    @Test func grows() {
        let delay = LoginDelay(free: 5, first: 1, longest: 900)
        #expect((0...5).allSatisfy { delay.seconds(after: $0) == 0 })
        #expect((6...10).map { delay.seconds(after: $0) } == [1, 2, 4, 8, 16])
        #expect(delay.seconds(after: 15) == 512 && delay.seconds(after: 16) == 900)
        #expect(delay.seconds(after: 1_000_000) == 900 && delay.seconds(after: .max) == 900)
    }

    /// No token has a scope that its role has not.
    @Test func scopes() {
        for role in Role.allCases {
            var spec = TokenSpec(role: role)
            #expect(TokenRecord(id: 1, user: User(id: 1, name: "u"), spec: spec).scopes == role.scopes)
            spec.scopes = Set(Scope.allCases)
            #expect(TokenRecord(id: 1, user: User(id: 1, name: "u"), spec: spec).scopes == role.scopes)
            spec.scopes = []
            #expect(TokenRecord(id: 1, user: User(id: 1, name: "u"), spec: spec).scopes.isEmpty)
        }
        #expect(Scope.allCases.allSatisfy { scope in Role.allCases.contains { $0.scopes.contains(scope) } })
    }
}
