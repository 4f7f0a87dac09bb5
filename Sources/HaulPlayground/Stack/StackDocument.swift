public import Foundation

/// `playground.json`: where everything of a stack is, for whoever tests against it. Holds tokens, so mode 0600.
public struct StackDocument: Codable, Sendable, Hashable {
    /// A part, and all that is needed to start it again: on the same port, with the same files.
    public struct Process: Codable, Sendable, Hashable {
        /// As it is now: `haul-playground run` writes the document again once somebody else started a part.
        public var pid: Int32
        public var argv: [String]
        public var cwd: String
        public var env: [String: String]
    }

    /// hauld's, without a path.
    public var url: String
    /// By user: alice, bob, worker, operator.
    public var tokens: [String: String]
    /// By user: alice, bob.
    public var passwords: [String: String]
    public var sites: [String: StackSite]
    /// By part: hauld, worker-1 ..., ssh-a, ssh-b, http-a, http-b.
    public var processes: [String: Process]

    public init(_ stack: Stack) {
        url = stack.url
        tokens = stack.tokens
        passwords = stack.passwords
        sites = stack.sites
        processes = Dictionary(
            stack.parts.map { part in
                let command = part.command
                return (
                    part.name, Process(pid: stack.pid(of: part), argv: command.argv, cwd: command.cwd, env: command.env)
                )
            }, uniquingKeysWith: { _, last in last })
    }

    /// As it is written.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}

extension Stack {
    /// Writes `playground.json` into the stack's folder, as a whole: a reader finds all of it or nothing.
    /// - Returns: its path.
    @discardableResult
    public func writeDocument() throws -> String {
        try StackFolder.write(String(decoding: StackDocument(self).json(), as: UTF8.self), to: folder.document)
        return folder.document
    }
}
