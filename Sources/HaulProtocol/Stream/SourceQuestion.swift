import HaulModel

/// What a putting backend asks of its element's source, which is at a site of another protocol: the `ask` line of
/// `protocols/README.md`, "Between two protocols". The worker hands it to the getting backend, and the answer back.
public enum SourceQuestion: Sendable, Hashable {
    /// What is at the path.
    case facts
    /// The bytes from one place to before another, through the element's pipe. The answer comes when they are in it.
    case read(from: Int, to: Int)
    /// The content's checksum, where the site tells it: `md5`, `adler32` ...
    case checksum(String)
    /// Nothing more is asked: the getting backend is done with the element. From the worker alone.
    case end
}

/// What is answered: the `answer` line.
public enum SourceAnswer: Sendable, Hashable {
    /// What is there, nil for nothing, and the checksums that its site tells.
    case facts(FileFacts?, checksums: [String])
    /// Bytes that went into the pipe, and, where that is known, what the source was after them.
    case sent(Int, FileFacts?)
    /// It cannot be read from the middle, or is not what it was: nothing went.
    case notResumable
    /// `ALGORITHM:HEX`; nil: the site tells none, read it.
    case checksum(String?)
    case failed(BackendFailure)
}
