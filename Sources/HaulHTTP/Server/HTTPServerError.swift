/// Why a server did not start: one line for whoever started it.
public struct HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    public enum Kind: Sendable, Equatable {
        /// Another process listens there.
        case portInUse
        /// No such address on this machine, or no address at all.
        case badAddress
        /// The user may not listen there.
        case notPermitted
        /// A certificate or key that can't be read or does not fit.
        case tls
        /// Everything else: limits of the system, a server started twice.
        case system
    }

    /// What kind of fault it is.
    public let kind: Kind
    /// What failed and why, in one line.
    public let message: String

    /// The message.
    public var description: String { message }
}
