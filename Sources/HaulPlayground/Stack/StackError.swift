/// Why the playground can't start or go on: one clear line.
public struct StackError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Another program took a port between its choice and its use.
struct PortTaken: Error, CustomStringConvertible {
    let name: String
    let port: Int

    var description: String { "\(name): port \(port) was taken meanwhile; trying others" }
}
