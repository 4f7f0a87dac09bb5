public import HaulModel

/// How workers are started, where they are: an effect that the engine asks for and `hauld` fills in.
public struct Launcher: Sendable {
    public var place: any WorkerPlace
    /// Workers that may be there at once: of this server, or where the place is shared of all of them.
    public var most: Int
    /// Workers that one user may have asked for at once.
    public var perUser: Int
    public var policy: LaunchMachine.Policy
    /// Makes a token, and what is stored of it.
    public var newToken: @Sendable () -> (token: String, hash: [UInt8])

    public init(
        place: any WorkerPlace, most: Int, perUser: Int, policy: LaunchMachine.Policy,
        newToken: @escaping @Sendable () -> (token: String, hash: [UInt8])
    ) {
        self.place = place
        self.most = most
        self.perUser = perUser
        self.policy = policy
        self.newToken = newToken
    }
}

/// Where workers run: this machine, a cluster.
public protocol WorkerPlace: Sendable {
    /// Workers of another kind are none of its.
    var kind: Launch.Kind { get }
    /// Seconds after which it is looked at again.
    var period: Double { get }

    /// Starts a worker.
    ///
    /// - Returns: what the place calls it, for its user to see; nil where that says nothing.
    func start(_ worker: NewWorker) async throws(LaunchProblem) -> String?

    /// What of the database's workers is there, or ended a while ago.
    ///
    /// - Throws: when it can't be found out: nothing is known then of any of them.
    func look() async throws -> [Launch.Key: WorkerSight]

    /// Ends those of them that live, and forgets the others. Returns without waiting for their end.
    func end(_ keys: Set<Launch.Key>) async

    /// Workers that something is left of: one that is started from now on need not be among them.
    func leftovers() async -> Set<Launch.Key>

    /// Removes what workers left behind that have ended.
    func remove(leftoversOf keys: Set<Launch.Key>) async
}

/// A worker to be started.
public struct NewWorker: Sendable {
    public var key: Launch.Key
    public var name: String
    /// What it shows. It belongs into a file of mode 600, and nowhere else.
    public var token: String
}

/// What can be seen of a worker.
public enum WorkerSight: Sendable, Hashable {
    /// It is there, or waits for a machine; what the place calls it.
    case lives(String?)
    /// It ended in good order, or was told to by somebody else, who is then named for the one who asked for it.
    case ended(String?)
    /// It ended otherwise; how, for the one who asked for it, and for how many seconds it had run.
    case failed(String, ran: Double)
}

/// Why a worker was not started.
public struct LaunchProblem: Error, Sendable {
    /// For the one who asked for it: no path, no text of the system's.
    public var reason: String

    public init(_ reason: String) { self.reason = reason }
}
