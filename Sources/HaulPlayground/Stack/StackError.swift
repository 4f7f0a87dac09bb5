/// Why the playground can't start or go on: one clear line.
public struct StackError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
