/// One request as a protocol describes it; what it means is the protocol's affair.
public protocol CurlRequest: Sendable {
    /// Asked for when libcurl is about to get it, on a thread that must not block: a time that is signed is the time
    /// of the request, however long it waited.
    func call() -> CurlCall

    /// Where it goes: one that does not answer keeps no others' requests waiting.
    var server: String { get }
}
