import HaulModel
import HaulStore
import Synchronization

/// The sites as this server knows them: read at its start, and again whenever some server changed one.
final class KnownSites: Sendable {
    private struct State {
        var rules: RegistrationRules
        /// The database's number of what they are; nil before they were read.
        var revision: [UInt8]?
    }

    private let state: Mutex<State>

    /// - Parameter rules: with the sites that count until the database's are read.
    init(_ rules: RegistrationRules) { state = Mutex(State(rules: rules)) }

    var rules: RegistrationRules { state.withLock { $0.rules } }
    var revision: [UInt8]? { state.withLock { $0.revision } }

    /// Takes what was read, unless what is known is later.
    func take(_ sites: [Site], revision: [UInt8]) {
        state.withLock { state in
            if let known = state.revision, revision.lexicographicallyPrecedes(known) { return }
            state.rules.sites = SiteDirectory(sites)
            state.revision = revision
        }
    }
}
