import HaulStore

/// Why the server can't start: one clear line.
struct StartError: Error {
    var message: String
}

extension StartError {
    /// The first that is written to a database failed: its disk may be full.
    init(_ error: StoreError, store: StoreLocation) { message = "\(store): \(error.summary)" }
}

/// A command line that can't be understood.
struct UsageError: Error {
    var message: String
}
