/// One request as a protocol describes it to curl; what it means is the protocol's affair.
public protocol CurlRequest: Sendable {
    /// The section of a configuration file for this request. Its `write-out` is
    /// ``HTTPResponse/writeOut(tag:headers:)`` with the same tag.
    func config(tag: String) -> CurlConfig

    /// The body comes from standard input (where the request is streamed), instead of going to standard output.
    var isUpload: Bool { get }
}
