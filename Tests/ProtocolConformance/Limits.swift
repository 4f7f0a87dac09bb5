import HaulProtocol

/// What some protocols cannot keep, by nature.
enum Limits {
    typealias Verdicts = [String: CheckCase.Verdict]

    /// The server gives a file the time at which it came.
    static let ownTimes: Verdicts = [
        "put and get: times": .notApplicable("a put file has a time of its own, not that of its source")
    ]
    static let ownPermissions: Verdicts = [
        "put: permissions": .notApplicable("a put file has permissions of its own, not those of its source")
    ]
    /// The server follows links, or hides them.
    static let noLinks: Verdicts = ["symbolic links": .notApplicable("links are not seen as links")]
    /// Its site lets everybody in.
    static let noCredentials: Verdicts = ["credentials are told nobody": .notApplicable("the site has no credentials")]
    static let noCredentialKinds: Verdicts = [
        "wrong credentials are told nobody": .notApplicable("the manifest names no credentials")
    ]
    /// What was sent of a file cannot be gone on from.
    static let noResume: Verdicts = [
        "an interrupted large file goes on": .notApplicable("the manifest declares no resume for put")
    ]
    static let noResumeElsewhere: Verdicts = [
        "get and copy: an interrupted large file goes on": .notApplicable(
            "the manifest declares no resume for get and copy")
    ]
    /// No pipe to a backend of another protocol.
    static let noStream: Verdicts = Dictionary(
        uniqueKeysWithValues: ["a whole file", "an interrupted file goes on", "a source that is asked"].map {
            ("between two protocols: \($0)", .notApplicable("the manifest declares no stream for get and put"))
        })
    /// The data stands on no disk of this machine.
    static let noDisk: Verdicts = [
        "names that are not UTF-8": .notApplicable(
            "the site's disk is not this machine's, so no such name can be made there"),
        "symbolic links": .notApplicable("the site's disk is not this machine's, so no link can be made there"),
        "symbolic links in a circle": .notApplicable(
            "the site's disk is not this machine's, so no link can be made there"),
    ]

    static func all(_ limits: Verdicts...) -> Verdicts { limits.reduce(into: [:]) { $0.merge($1) { $1 } } }
}
