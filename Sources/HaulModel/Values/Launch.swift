/// A worker that somebody asked to be started for a queue.
public struct Launch: Sendable, Hashable {
    /// Who moves it: ``LaunchMachine``.
    public enum Phase: Int, Sendable, Hashable, CaseIterable {
        /// It was asked for, and is to be started: at once, or when its time has come.
        case waiting = 0
        /// A server took it, and may have started it.
        case starting = 1
        /// It was started.
        case running = 2
        /// It had nothing to do any more, can't be started, or nobody wants it.
        case ended = 3
    }

    /// What a worker's life hangs on.
    public enum Kind: Int, Sendable, Hashable, CaseIterable {
        /// It ends with the server that started it, which alone sees it.
        case server = 0
        /// A cluster: it outlives servers, and all of them see it.
        case cluster = 1
    }

    /// Which start of which launch: a worker is never taken for the one before it.
    public struct Key: Sendable, Hashable {
        public var launch: Int
        public var start: Int

        public init(launch: Int, start: Int) {
            self.launch = launch
            self.start = start
        }

        /// `12.3`.
        public var text: String { "\(launch).\(start)" }

        /// Nil for what is none.
        public init?(text: some StringProtocol) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let launch = Int(parts[0]), let start = Int(parts[1]) else { return nil }
            self.init(launch: launch, start: start)
            guard self.text == text else { return nil }
        }
    }

    public var id: Int
    public var queueID: Int
    /// Counts from 1 in its queue. The next that is asked for takes the number of one that has ended.
    public var number: Int
    public var phase: Phase = .waiting
    /// How often it was started.
    public var starts = 0
    /// How often in a row that, or the worker, failed.
    public var failures = 0
    /// When it is started again; nil is at once.
    public var notBefore: Timestamp?
    /// The server that took it, and which run of that.
    public var server: Int?
    public var run: String?
    /// What the worker shows, while there may be one.
    public var token: Int?
    /// Where it was started, while there may be one.
    public var kind: Kind?
    /// What the place calls it: a job's number at Slurm.
    public var place: String?
    /// What went wrong last, for the one who asked for it.
    public var reason: String?
    /// Nobody wants it any more: it is to end.
    public var isUnwanted = false
    public var asked: Timestamp
    public var changed: Timestamp

    public init(id: Int, queueID: Int, number: Int, asked: Timestamp) {
        self.id = id
        self.queueID = queueID
        self.number = number
        self.asked = asked
        changed = asked
    }

    public var key: Key { Key(launch: id, start: starts) }

    /// What the worker is called. Few names come to be by this, however often one is launched.
    public var worker: String { "launched-\(queueID)-\(number)" }

    /// A worker may be there.
    public var isOut: Bool { phase == .starting || phase == .running }
}
