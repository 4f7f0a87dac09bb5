/// Names an attempt: `"JOB.ELEMENT.ATTEMPT"`.
public struct AttemptID: Sendable, Hashable, CustomStringConvertible {
    public var jobID: Int
    public var elementID: Int
    public var number: Int

    public init(jobID: Int, elementID: Int, number: Int) {
        self.jobID = jobID
        self.elementID = elementID
        self.number = number
    }

    public var description: String { "\(jobID).\(elementID).\(number)" }
}
