/// Where a bucket is, and what opens it.
public struct BucketAddress: Sendable {
    /// `http://HOST:PORT` or `https://...`, without a slash at its end; the bucket's name follows (path style).
    public var endpoint: String
    public var bucket: String
    /// What keys begin with: empty, or a path that ends with a slash.
    public var prefix: String
    public var region: String
    public var accessKey: String
    public var secretKey: String
    /// A PEM file of authorities to trust instead of the system's.
    public var authoritiesPath: String?
    /// Seconds without a byte after which a request has failed.
    public var patience = 20.0

    /// - Parameter prefix: slashes around it make no difference.
    public init(
        endpoint: String, bucket: String, prefix: String, region: String, accessKey: String, secretKey: String,
        authoritiesPath: String? = nil
    ) {
        self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.bucket = bucket
        let parts = prefix.split(separator: "/")
        self.prefix = parts.isEmpty ? "" : parts.joined(separator: "/") + "/"
        self.region = region
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.authoritiesPath = authoritiesPath
    }
}
