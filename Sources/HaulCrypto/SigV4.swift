/// AWS Signature Version 4 in an `Authorization` header, as S3 wants it ("Signature Calculations for the Authorization
/// Header: Transferring Payload in a Single Chunk", Amazon S3 API Reference).
///
/// It is made here and not by curl, whose version of Debian 12 (7.88, `--aws-sigv4`) signs wrongly what has an unsorted
/// query, a raw slash or a bare name in the query, or a `+` in the path.
public struct SigV4: Sendable {
    /// What stands for the body in the signature.
    public enum Payload: Sendable, Hashable {
        /// Lower-case hexadecimal digits of the body's SHA-256: no other body passes.
        case sha256(String)
        /// The body is not signed: for streams whose hash nobody knows before they end.
        case unsigned

        public static let empty = Payload.sha256(Text.hex(Hash.sha256([])))

        /// The hash of a body in memory.
        public static func bytes(_ bytes: [UInt8]) -> Payload { .sha256(Text.hex(Hash.sha256(bytes))) }

        /// As `x-amz-content-sha256` has it.
        public var text: String {
            switch self {
            case .sha256(let digits): digits
            case .unsigned: "UNSIGNED-PAYLOAD"
            }
        }
    }

    /// One header: names in any case, values without spaces around them.
    public typealias Header = (name: String, value: String)

    public var accessKey: String
    public var secretKey: String
    /// Of credentials that end after some time.
    public var sessionToken: String?
    /// `us-east-1` ...
    public var region: String
    public var service = "s3"

    public init(accessKey: String, secretKey: String, sessionToken: String? = nil, region: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.region = region
    }

    /// All headers to send, `Host` and `Authorization` among them: the given ones are signed too.
    /// - Parameters:
    ///   - host: The authority that the request goes to, without a port that its scheme implies.
    ///   - path: As it is sent: percent-encoded by ``encoded(path:)``, starting with a slash.
    ///   - query: Names and values before encoding; sent as ``encoded(query:)``.
    ///   - time: Seconds since 1970.
    public func sign(
        _ method: String, host: String, path: String, query: [(String, String)] = [], headers: [Header] = [],
        payload: Payload, time: Int
    ) -> [Header] {
        let stamp = Self.timestamp(time)
        var all = headers + [("Host", host), ("x-amz-date", stamp)]
        // A thing of S3; the other services take the hash from the body.
        if service == "s3" { all.append(("x-amz-content-sha256", payload.text)) }
        if let sessionToken { all.append(("x-amz-security-token", sessionToken)) }
        let sorted = all.map { (name: $0.name.lowercased(), value: Self.folded($0.value)) }
            .sorted { Self.precedes($0.name, $1.name) }
        let names = sorted.map(\.name).joined(separator: ";")
        let canonical = [
            method, path, Self.encoded(query: query), sorted.map { "\($0.name):\($0.value)\n" }.joined(), names,
            payload.text,
        ].joined(separator: "\n")
        let scope = "\(stamp.prefix(8))/\(region)/\(service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n" + Text.hex(Hash.sha256(Array(canonical.utf8)))
        var key = Array("AWS4\(secretKey)".utf8)
        for part in [String(stamp.prefix(8)), region, service, "aws4_request"] {
            key = HMAC.sha256(Array(part.utf8), key: key)
        }
        let signature = Text.hex(HMAC.sha256(Array(text.utf8), key: key))
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return all + [("Authorization", authorization)]
    }

    /// A path for a URL: all but unreserved characters (RFC 3986) and slashes as `%XX`, once, and nothing resolved.
    public static func encoded(path: some Sequence<UInt8>) -> String { encoded(path, slash: true) }

    /// A query, sorted as it is signed; a name without a value keeps its `=`.
    public static func encoded(query: [(String, String)]) -> String {
        query.map { (encoded($0.0.utf8, slash: false), encoded($0.1.utf8, slash: false)) }
            .sorted { $0.0 == $1.0 ? precedes($0.1, $1.1) : precedes($0.0, $1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// The `Host` header of `https://host:port`: without the port that the scheme implies, as clients send it.
    public static func host(ofOrigin origin: String) -> String {
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")] where origin.hasPrefix(scheme) {
            let authority = origin.dropFirst(scheme.count)
            return String(authority.hasSuffix(port) ? authority.dropLast(port.count) : authority)
        }
        return origin
    }

    /// `20130524T000000Z`.
    static func timestamp(_ time: Int) -> String {
        let (days, second) = (time >= 0 ? time / 86_400 : (time - 86_399) / 86_400, ((time % 86_400) + 86_400) % 86_400)
        // The Gregorian calendar in years from March, so that the leap day is the last; in eras of 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let day = shifted - era * 146_097
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        func digits(_ number: Int, _ count: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let civil = (year: year + era * 400 + (month >= 10 ? 1 : 0), month: month < 10 ? month + 3 : month - 9)
        return digits(civil.year, 4) + digits(civil.month) + digits(dayOfYear - (153 * month + 2) / 5 + 1) + "T"
            + digits(second / 3_600) + digits(second / 60 % 60) + digits(second % 60) + "Z"
    }

    private static func encoded(_ bytes: some Sequence<UInt8>, slash: Bool) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: text.append(byte)
            case UInt8(ascii: "/") where slash: text.append(byte)
            default: text += [UInt8(ascii: "%")] + Text.hex([byte]).uppercased().utf8
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// By bytes, not as Swift sorts text.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// A header's value as it is signed: no spaces around it, one for several.
    private static func folded(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }
}
