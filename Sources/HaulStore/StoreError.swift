/// Why the database could not do what was asked. The text is for the server's log, never for a client.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    /// The file can't be opened or is no database of haul: what to do is in the text.
    case unusable(String)
    /// The schema is newer than this program knows.
    case newer(found: Int, known: Int, path: String)
    /// The disk is full or failed: nothing of the group was written. Trying again may help.
    case unavailable(String)
    /// The disk did not take what was synced to it. What the kernel holds can't be trusted any more: the process ends.
    case fsyncFailed(String)
    /// More of something than a user may have.
    case limit(String, Int)
    /// What a decision was made on has changed since it was read: nothing was kept. Deciding again helps.
    case stale
    /// A constraint of the schema refused a row: a fault of ours.
    case constraint(String)
    /// Any other answer of the database.
    case failed(String)

    public var description: String {
        switch self {
        case .unusable(let text), .unavailable(let text), .fsyncFailed(let text), .constraint(let text),
            .failed(let text):
            text
        case .stale: "what was read has changed since"
        case .limit(let what, let most): "a user may have \(most) \(what)"
        case .newer(let found, let known, let path):
            "\(path): the database has schema version \(found), this program knows up to \(known): "
                + "run the newer hauld, or restore a backup from before the upgrade"
        }
    }

    /// True where the database's user lacks a right (SQLSTATE 42501, insufficient_privilege).
    var isForbidden: Bool { description.contains(" (42501) in: ") }

    /// The description without the statement that failed, which tells nobody who starts a server anything.
    public var summary: String {
        let text = description.prefix { $0 != "(" }
        return text.last == " " ? String(text.dropLast()) : String(text)
    }
}
