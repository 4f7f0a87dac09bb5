public import HaulModel

/// How an operation of a backend fails: thrown out of it, told in the element's `result`.
public struct BackendFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var errorClass: ErrorClass
    /// One sentence for the user that names what was tried and what the other side said; no secrets.
    public var reason: String
    /// The tool's exit status; 1 where there is no tool.
    public var returncode: Int

    public init(_ errorClass: ErrorClass, _ reason: String, returncode: Int = 1) {
        self.errorClass = errorClass
        self.reason = reason
        self.returncode = returncode
    }

    public var description: String { "\(errorClass.rawValue): \(reason)" }
}
