public import HaulModel
public import HaulProtocol
public import HaulWire

/// One side of what is to be done: a site, and the protocol that serves it.
public struct Station: Sendable, Hashable {
    public var site: ClaimedSite
    /// Lower case: the plug-in's folder.
    public var protocolName: String

    public static func == (left: Station, right: Station) -> Bool {
        left.site.id == right.site.id && left.protocolName == right.protocolName
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(site.id)
        hasher.combine(protocolName)
    }
}

/// What the elements of a batch have in common.
public struct Errand: Sendable, Hashable {
    public var jobID: Int
    public var jobType: JobType
    public var elementType: JobType
    public var operation: ProtocolOperation
    public var source: Station
    /// The other site of a COPY; nil for all else.
    public var destination: Station?
    /// As ``CommonOption/effective(_:job:element:)`` has them, without any protocol's defaults.
    public var options: [String: JSONValue]
    public var logUID: String

    /// True for a COPY that no one protocol can do.
    public var isBridge: Bool { destination.map { $0.protocolName != source.protocolName } ?? false }
}

/// One element that the worker holds a lease on.
public struct Assignment: Sendable {
    public var key: AttemptKey
    public var errand: Errand
    public var sourcePath: String
    public var destinationPath: String?
    /// Bytes; 0 until known.
    public var size: Int
    /// The attempt's number among the tries that count, and how many there are.
    public var tryNumber: Int
    public var maxTries: Int

    /// True where no try is left after this one.
    public var isLast: Bool { tryNumber >= maxTries }

    /// The element as its backend is told of it.
    public var spec: ElementSpec {
        ElementSpec(
            id: key.id, source: sourcePath, destination: destinationPath, size: size > 0 ? size : nil,
            attempt: key.attempt, last: isLast, partSeed: partSeed)
    }

    /// The same for each attempt at the element.
    public var partSeed: String { "\(errand.logUID).\(key.elementID)" }
}
