/// Where a `put` has its file from.
public enum PutSource: Sendable {
    /// A file of the worker's own.
    case file(LocalEnd)
    /// What a backend of another protocol has: the element is streamed.
    case asked(AskedEnd)
}
