public import HaulModel

/// What a backend's run tells of its elements. After an element's `result` nothing more is told of it.
public enum BackendEvent: Sendable, Hashable {
    /// Text for the element's log: what the backend said, what it wrote to stderr, what it did wrong. Secrets are
    /// redacted; no newline at the end.
    case log(id: String, text: String)
    case progress(id: String, TransferProgress)
    /// A chunk of the element's listing.
    case entries(id: String, directory: String, [ListingEntry])
    case result(id: String, ElementResult)
    /// A putting backend asks about the element's source; ``BackendRun/answer(_:_:)`` tells it.
    case ask(id: String, SourceQuestion)
    /// A getting backend's answer to ``BackendRun/ask(_:_:)``.
    case answer(id: String, SourceAnswer)

    /// The element that it is about.
    public var id: String {
        switch self {
        case .log(let id, _), .progress(let id, _), .entries(let id, _, _), .result(let id, _), .ask(let id, _),
            .answer(let id, _):
            id
        }
    }
}
