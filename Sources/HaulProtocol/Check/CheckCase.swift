/// One case of the conformance suite and what came of it.
public struct CheckCase: Sendable, Hashable, CustomStringConvertible {
    public enum Verdict: Sendable, Hashable {
        case passed
        case failed(String)
        /// The protocol does not declare what the case is about.
        case notApplicable(String)
    }

    public var name: String
    public var verdict: Verdict
    public var seconds: Double

    public var hasFailed: Bool { if case .failed = verdict { true } else { false } }

    public var description: String {
        switch verdict {
        case .passed: "pass  \(name)"
        case .failed(let why): "FAIL  \(name): \(why)"
        case .notApplicable(let why): "n/a   \(name): \(why)"
        }
    }
}

/// Why a case failed.
struct CheckFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Why a case does not apply.
struct NotApplicable: Error {
    var reason: String
}
