import HaulCurl
import HaulModel
import HaulProtocol

/// What S3 says of a request that it refuses: the document `Error` ("Error Responses", Amazon S3 API Reference).
struct S3Error: Sendable, Equatable {
    var code: String
    var message = ""
    /// Where the bucket is, of an error that is about that.
    var region = ""
    var endpoint = ""

    /// The class of each code that a user or an operator can do something about, or that passes by itself; any other
    /// has the class of its HTTP status.
    static let classes: [String: ErrorClass] = [
        "NoSuchKey": .notFound, "NoSuchBucket": .notFound, "NoSuchVersion": .notFound,
        "AccessDenied": .permission, "AllAccessDisabled": .permission, "AccountProblem": .permission,
        "MethodNotAllowed": .permission, "InvalidObjectState": .permission,

        "SignatureDoesNotMatch": .auth, "InvalidAccessKeyId": .auth, "InvalidToken": .auth, "InvalidSecurity": .auth,
        "NotSignedUp": .auth, "AuthorizationHeaderMalformed": .auth, "UnauthorizedAccess": .auth,
        "MissingSecurityHeader": .auth,
        // The worker's clock or the server's is wrong: trying again with it is no use.
        "RequestTimeTooSkewed": .auth,
        "ExpiredToken": .credentialExpired, "TokenRefreshRequired": .credentialExpired,
        "RequestExpired":
            .credentialExpired,
        "SlowDown": .busy, "ServiceUnavailable": .busy, "Throttling": .busy, "ThrottlingException": .busy,
        "TooManyRequests": .busy, "RequestLimitExceeded": .busy, "BandwidthLimitExceeded": .busy,
        "OperationAborted": .busy, "ConditionalRequestConflict": .busy, "XMinioServerNotInitialized": .busy,
        "RestoreAlreadyInProgress": .busy,
        "RequestTimeout": .timeout,
        "IncompleteBody": .interrupted, "NoSuchUpload": .interrupted, "InvalidPart": .interrupted,
        "InvalidPartOrder": .interrupted,
        "InternalError": .unknown, "InternalServerError": .unknown,
        "PreconditionFailed": .exists, "BucketAlreadyExists": .exists,
        "BadDigest": .checksum, "XAmzContentSHA256Mismatch": .checksum, "XAmzContentChecksumMismatch": .checksum,
        "QuotaExceeded": .noSpace, "XMinioAdminBucketQuotaExceeded": .noSpace, "XMinioStorageFull": .noSpace,
        "InsufficientStorage": .noSpace, "TooManyObjects": .noSpace,
        "EntityTooLarge": .invalid, "EntityTooSmall": .invalid, "KeyTooLongError": .invalid,
        "MetadataTooLarge": .invalid, "InvalidArgument": .invalid, "InvalidRequest": .invalid,
        "InvalidBucketName": .invalid, "InvalidURI": .invalid, "InvalidRange": .invalid, "MalformedXML": .invalid,
        "NotImplemented": .invalid, "MissingContentLength": .invalid, "InvalidStorageClass": .invalid,
        // Another region, another endpoint: asking there unasked could send data where nobody meant it to go.
        "PermanentRedirect": .invalid, "TemporaryRedirect": .invalid, "Redirect": .invalid,
        "IllegalLocationConstraintException": .invalid, "IncorrectEndpoint": .invalid,
    ]

    /// What to do about it, where that is more than the message says.
    var hint: String? {
        switch code {
        case "PermanentRedirect", "TemporaryRedirect", "Redirect", "IncorrectEndpoint",
            "IllegalLocationConstraintException":
            region.isEmpty
                ? endpoint.isEmpty
                    ? "the bucket is at another endpoint: set the site's endpoint and its option region"
                    : "the bucket is at \(endpoint): set the site's endpoint"
                : "the bucket is in the region \(region): set the site's option region, and an endpoint there"
        case "AuthorizationHeaderMalformed" where !region.isEmpty:
            "the server signs for the region \(region): set the site's option region"
        case "SignatureDoesNotMatch":
            "the secret key of the s3-key is another than the server's, or the region is wrong"
        case "InvalidAccessKeyId": "the server does not know the access key of the s3-key"
        case "RequestTimeTooSkewed": "the clock of this worker or of the server is wrong"
        case "NoSuchBucket": "the site option bucket names none that is there"
        case "InvalidObjectState": "the object is archived, and has to be restored before it can be read"
        case "EntityTooLarge": "it is larger than the server takes in one piece (setting multipart_threshold)"
        case "EntityTooSmall": "the server wants larger parts (setting part_size)"
        default: nil
        }
    }

    /// Reads the document; nil where it is none.
    static func parse(_ text: String) -> S3Error? {
        guard let root = XMLTree.parse(text), root.name == "Error", let code = root.child("Code")?.text, !code.isEmpty
        else { return nil }
        return S3Error(
            code: plain(code, 64), message: plain(root.child("Message")?.text ?? "", 300),
            region: plain(root.child("Region")?.text ?? "", 64),
            endpoint: plain(root.child("Endpoint")?.text ?? "", 200))
    }

    /// Of a server's text what fits into a reason: one line, not for ever.
    private static func plain(_ text: String, _ most: Int) -> String {
        String(EntryName.escaped(Array(text.utf8)).prefix(most))
    }
}

extension HTTPResponse {
    /// The failure in a user's words: what was asked of what, what came back.
    /// - Parameter error: What the answer's document says, where there is one.
    func failure(_ what: String, _ error: S3Error?) -> BackendFailure {
        var error = error
        if (300..<400).contains(status), status != 304 {
            error = error ?? S3Error(code: "Redirect")
            if error?.region.isEmpty == true { error?.region = String(header(.region).prefix(64)) }
        }
        guard let error, exitCode == 0 || status >= 300 else { return failure(what) }
        let known = S3Error.classes[error.code] ?? errorClass ?? .unknown
        let said = [error.message.isEmpty ? nil : error.message, error.hint].compactMap { $0 }
        let details = said.isEmpty ? "" : ": " + said.joined(separator: "; ")
        return BackendFailure(known, "\(what): HTTP \(status) \(error.code)\(details)", returncode: 22)
    }
}
