import Testing

@testable import HaulConfig

/// What the environment says stands in the place of its references.
@Suite struct EnvironmentTests {
    @Test(arguments: [
        ("${A}", "1"), ("${B:-x}", "x"), ("${A:-x}", "1"), ("a${A}b${A}", "a1b1"), ("$${A}", "${A}"), ("$A", "$A"),
        ("${EMPTY:-x}", "x"), ("${B:-}", ""), ("${B:-a:-b}", "a:-b"),
        // A default may hold references again.
        ("${B:-${A}/x}", "1/x"), ("${B:-${C:-/var}/x}", "/var/x"), ("${A:-${B}}", "1"), ("${B:-${A}${A}}y", "11y"),
        // What is not closed is none.
        ("${A", "${A"), ("${B:-${A}", "${B:-1"),
    ])
    func references(text: String, value: String) throws {
        let node = Node(line: 1, value: .string(text))
        switch try node.expanded(from: ["A": "1", "EMPTY": ""]).value {
        case .string(let found), .variable(let found): #expect(found == value)
        default: Issue.record("no text")
        }
    }

    @Test(arguments: ["${B}", "x${B}", "${C:-${B}}"]) func unset(text: String) {
        #expect(throws: Node.UnsetVariable.self) {
            try Node(line: 1, value: .string(text)).expanded(from: ["A": "1"])
        }
    }
}
