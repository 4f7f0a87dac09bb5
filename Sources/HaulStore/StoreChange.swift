/// What a transaction did that those who wait want to know of, on this server and on the others of its database.
public struct StoreChange: Sendable, Hashable {
    /// What there may be to do.
    public struct Kinds: OptionSet, Sendable, Hashable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Elements can be handed out.
        public static let work = Kinds(rawValue: 1)
        /// A listing waits to be expanded.
        public static let expansion = Kinds(rawValue: 2)
        /// A depth of a REMOVE may open.
        public static let opening = Kinds(rawValue: 4)
        /// Something is wanted of a whole job.
        public static let sweep = Kinds(rawValue: 8)
        /// Sessions ended with leases in their hands.
        public static let rescue = Kinds(rawValue: 16)

        /// Sites were made, changed or removed.
        public static let sites = Kinds(rawValue: 32)
        /// Workers are to be started, or ended.
        public static let launches = Kinds(rawValue: 64)

        public static let all: Kinds = [.work, .expansion, .opening, .sweep, .rescue, .sites, .launches]
    }

    public var kinds: Kinds
    /// Jobs that changed; nil is any.
    public var jobs: Set<Int>?

    public init(_ kinds: Kinds = [], jobs: Set<Int>? = []) {
        self.kinds = kinds
        self.jobs = jobs
    }

    /// Anything may have happened.
    public static let anything = StoreChange(.all, jobs: nil)

    var isNothing: Bool { kinds.isEmpty && jobs?.isEmpty == true }

    mutating func add(_ other: StoreChange) {
        kinds.formUnion(other.kinds)
        jobs = jobs.flatMap { mine in other.jobs.map { mine.union($0) } }
    }

    /// As it stands in a notification, which has room for `most` bytes: the kinds, and the jobs where there is room.
    func text(most: Int) -> String {
        let kinds = "\(kinds.rawValue)"
        guard let jobs else { return kinds + " *" }
        let text = kinds + " " + jobs.sorted().map(String.init).joined(separator: ",")
        return text.utf8.count <= most ? text : kinds + " *"
    }

    /// Nil for what is none of ours.
    init?(text: some StringProtocol) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let kinds = Int(parts[0]) else { return nil }
        self.init(Kinds(rawValue: kinds), jobs: nil)
        if parts[1] != "*" { jobs = Set(parts[1].split(separator: ",").compactMap { Int($0) }) }
    }
}
