import HaulCrypto
public import HaulModel

/// How an attempt ended, as the holder of its lease says.
public struct Report: Sendable {
    public var jobID: Int
    public var elementID: Int
    /// Proves the lease.
    public var token: String
    /// 0 is success.
    public var returnCode: Int
    /// Where it ran.
    public var host: String
    /// Bytes of text; empty where it went up in pieces.
    public var log: [UInt8]
    /// A listing that came whole; nil where it went up in pieces, or there is none.
    public var listing: [ListingLine]?
    public var errorClass: ErrorClass?
    /// The site at which it failed, where that is known of a COPY between two.
    public var blamedSite: Int?
    public var reason: String?
    public var checksum: String?
    /// Bytes; -1 is the element's size.
    public var transferred: Int?
    /// A hash of all that was sent, by which the same report is known again.
    public let hash: [UInt8]

    /// - Parameter sent: all that was sent, field by field.
    public init(
        jobID: Int, elementID: Int, token: String, returnCode: Int, host: String, log: [UInt8],
        listing: [ListingLine]? = nil, errorClass: ErrorClass? = nil, blamedSite: Int? = nil, reason: String? = nil,
        checksum: String? = nil, transferred: Int? = nil, sent: [String]
    ) {
        self.init(
            jobID: jobID, elementID: elementID, token: token, returnCode: returnCode, host: host, log: log,
            listing: listing, errorClass: errorClass, blamedSite: blamedSite, reason: reason, checksum: checksum,
            transferred: transferred, hash: Hash.sha256(Array(sent.joined(separator: "\u{0}").utf8)))
    }

    /// - Parameter hash: of all that was sent, where another server read it.
    public init(
        jobID: Int, elementID: Int, token: String, returnCode: Int, host: String, log: [UInt8],
        listing: [ListingLine]?, errorClass: ErrorClass?, blamedSite: Int?, reason: String?, checksum: String?,
        transferred: Int?, hash: [UInt8]
    ) {
        self.jobID = jobID
        self.elementID = elementID
        self.token = token
        self.returnCode = returnCode
        self.host = host
        self.log = log
        self.listing = listing
        self.errorClass = errorClass
        self.blamedSite = blamedSite
        self.reason = reason
        self.checksum = checksum
        self.transferred = transferred
        self.hash = hash
    }
}

/// What became of a report.
public enum Verdict: Sendable {
    case accepted
    /// The very report that had ended the attempt: it gets the first answer again.
    case repeated
    case refused(EngineError)
}
