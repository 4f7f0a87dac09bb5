public import HaulModel

/// How an attempt at an element ended: what a `result` line says.
public struct ElementResult: Sendable, Hashable {
    /// Why it failed; nil for one that went well.
    public var errorClass: ErrorClass?
    /// Why it failed, for people: what, where, what the other side said.
    public var reason: String?
    /// The tool's exit status, or 0 and 1 where there is no tool.
    public var returncode: Int
    /// Bytes that the element moved, those resumed from included.
    public var transferred: Int
    /// `md5:HEX` of the content, where it was computed.
    public var checksum: String?
    /// The site at which it failed, where whoever ran it knows that of two; no backend says so.
    public var siteID: Int?

    public init(
        errorClass: ErrorClass? = nil, reason: String? = nil, returncode: Int = 0, transferred: Int = 0,
        checksum: String? = nil
    ) {
        self.errorClass = errorClass
        self.reason = reason
        self.returncode = returncode
        self.transferred = transferred
        self.checksum = checksum
    }

    public var isOK: Bool { errorClass == nil }

    /// A failure with nothing moved.
    public static func failed(_ errorClass: ErrorClass, _ reason: String, returncode: Int = 1) -> ElementResult {
        ElementResult(errorClass: errorClass, reason: reason, returncode: returncode)
    }
}
