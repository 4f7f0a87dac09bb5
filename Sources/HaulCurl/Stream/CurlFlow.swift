/// What a streamed request passes between libcurl's thread and whoever reads or writes its body: at most one of the two
/// has a body that streams.
final class CurlFlow: Sendable {
    /// Bytes that wait on their way; the transfer stands still while there are more.
    static let room = 512 << 10
    /// libcurl's own buffer of such a request: one call to the kernel moves so many at most.
    static let buffer = 256 << 10

    /// The answer's body.
    let inflow: CurlInflow?
    /// The request's.
    let outflow: CurlOutflow?

    init(_ call: CurlCall) {
        if case .stream(let length) = call.sent { outflow = CurlOutflow(length: length) } else { outflow = nil }
        if case .stream = call.kept { inflow = CurlInflow() } else { inflow = nil }
    }

    /// Has the transfer go on where it stood still, by `goOn`: of the request that is at work, as each redirect is another.
    func connect(_ goOn: @escaping @Sendable () -> Void) {
        inflow?.connect(goOn)
        outflow?.connect(goOn)
    }

    /// The transfer is over: nothing comes any more, nothing is taken.
    func end() {
        inflow?.end()
        outflow?.end()
    }
}
