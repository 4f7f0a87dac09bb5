import HaulConfig

/// Where logs and listings are: a folder, or a bucket.
enum LogPlace: Decodable, Sendable {
    case folder(String)
    case bucket(BucketPlace)

    /// For the server's log.
    var name: String {
        switch self {
        case .folder(let path): path
        case .bucket(let place): "s3://\(place.bucket)/\(place.prefix)"
        }
    }

    init(from decoder: any Decoder) throws {
        if let path = try? decoder.singleValueContainer().decode(String.self) {
            guard !path.hasPrefix("s3:") else {
                throw ConfigValueError(expected: "a folder, or {s3: \"\(path)\", credentials: ..., spool: ...}")
            }
            self = .folder(path)
        } else {
            self = .bucket(try BucketPlace(from: decoder))
        }
    }

    func resolved(relativeTo file: String) -> LogPlace {
        switch self {
        case .folder(let path): return .folder(ConfigFile.resolve(path, relativeTo: file))
        case .bucket(var place):
            place.credentials = ConfigFile.resolve(place.credentials, relativeTo: file)
            place.spool.folder = ConfigFile.resolve(place.spool.folder, relativeTo: file)
            place.authorities = place.authorities.map { ConfigFile.resolve($0, relativeTo: file) }
            return .bucket(place)
        }
    }
}

/// An S3 bucket, and where logs wait for it.
struct BucketPlace: Decodable, Sendable {
    var bucket: String
    var prefix: String
    /// `http://HOST:PORT` or `https://...`.
    var endpoint: String
    var region: String
    /// A file with the keys.
    var credentials: String
    /// PEM file of authorities to trust instead of the system's.
    var authorities: String?
    var spool: Spool

    struct Spool: Decodable, Sendable {
        var folder: String
        var bytes: Int

        private enum CodingKeys: String, CodingKey { case folder, bytes }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            folder = try container.decode(String.self, forKey: .folder)
            bytes = try container.decode(Int.self, forKey: .bytes, in: 65_536...1 << 50, default: 4 << 30)
        }
    }

    /// What a credentials file says.
    struct Keys: Decodable, Sendable {
        var access: String
        var secret: String

        private enum CodingKeys: String, CodingKey {
            case access = "access_key"
            case secret = "secret_key"
        }
    }

    private enum CodingKeys: String, CodingKey { case s3, endpoint, region, credentials, authorities, spool }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let url = try container.decode(String.self, forKey: .s3)
        let parts = url.dropFirst(5).split(separator: "/", omittingEmptySubsequences: true)
        guard url.hasPrefix("s3://"), let name = parts.first, parts.allSatisfy(Self.isPlain) else {
            throw ConfigValueError(
                expected: "\"s3://BUCKET/PREFIX\" of letters, digits, dots, dashes and underscores", key: "s3")
        }
        bucket = String(name)
        prefix = parts.dropFirst().joined(separator: "/")
        region = try container.decode(String.self, forKey: .region, default: "us-east-1")
        guard Self.isPlain(region[...]) else { throw ConfigValueError(expected: "the name of a region", key: "region") }
        endpoint = try container.decode(
            String.self, forKey: .endpoint, default: "https://s3.\(region).amazonaws.com")
        guard ServerConfig.isAddress(endpoint) else {
            throw ConfigValueError(expected: "\"https://HOST:PORT\" or \"http://HOST:PORT\"", key: "endpoint")
        }
        credentials = try container.decode(String.self, forKey: .credentials)
        authorities = try container.decodeIfPresent(String.self, forKey: .authorities)
        spool = try container.decode(Spool.self, forKey: .spool)
    }

    private static func isPlain(_ text: Substring) -> Bool {
        !text.isEmpty && text != "." && text != ".."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}
