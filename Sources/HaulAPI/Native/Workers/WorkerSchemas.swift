import HaulModel
import HaulWire

/// What workers may say, as ``NativeAPI`` reads it.
extension Schema {
    static let workerRegistration = object(
        [
            "name": text(1...128), "slots": integer(1...10_000), "protocols": list(of: protocolReference),
            "host?": text(0...256).orNull, "version?": text(0...64).orNull,
            "sites?": list(of: siteReference).orNull.about("Those that it can reach; none is all"),
        ], isOpen: true)

    static let heartbeat = object(
        [
            "session": integer, "holding": list(of: text).about("JOB.ELEMENT.ATTEMPT of all that it has"),
            "load?": amount.orNull, "slots?": integer(0...10_000).orNull,
            "protocols?": list(of: protocolReference).orNull, "sites?": list(of: siteReference).orNull,
        ], isOpen: true)

    static let claim = object(
        [
            "types": list(of: jobTypeReference, 1...Int.max), "session?": integer(1...Int.max).orNull,
            "protocols?": list(of: protocolReference).orNull.about("Without it, all"),
            "sites?": list(of: siteReference).orNull.about("Without it, all"),
            "wait?": amount.orNull.about("Seconds to park, up to 60"),
            "algorithm?": one(of: ["BY_NUMBER"]).orNull,
            "algorithm.args?": object(["limit?": integer(1...Int.max).orNull], isOpen: true).orNull,
        ], isOpen: true
    ).or(
        object(
            [
                "types": list(of: jobTypeReference, 1...Int.max), "session?": integer(1...Int.max).orNull,
                "protocols?": list(of: protocolReference).orNull, "sites?": list(of: siteReference).orNull,
                "wait?": amount.orNull, "algorithm": one(of: ["BY_SIZE"]),
                "algorithm.args": object(["size": count.about("Bytes")], isOpen: true),
            ], isOpen: true))

    static let outcome = object(
        "Outcome",
        [
            "returncode": integer.about("0: done"), "host?": any(of: [text, list(of: text)]).orNull,
            "log?": text.orNull.about("What did not go up in pieces"),
            "listing?": listing.orNull.about("What did not go up in pieces"), "timestamp?": anything,
            "error_class?": text.orNull, "error_site?": count.orNull.about("The site at which a COPY failed"),
            "reason?": text.orNull, "checksum?": text.orNull.about("ALGORITHM:HEX"),
            "transferred?": integer(-1...Int.max).orNull.about("Bytes; -1: the element's size"),
        ], isOpen: true)

    /// Each is answered on its own, also one that can't be read.
    static let results = list(of: anything, 0...1000)
        .or(object(["results": list(of: anything, 0...1000)], isOpen: true))

    static let progress = object(
        [
            "transferred": integer(-1...Int.max).about("Bytes; -1: the element's size"),
            "elapsed?": amount.orNull.about("Seconds"), "instant?": amount.orNull.about("Bytes/s of late"),
            "average?": amount.orNull.about("Bytes/s overall"),
        ], isOpen: true)

    private func or(_ other: Schema) -> Schema { Schema.any(of: [self, other]) }

    /// A number that is not negative.
    private static let amount = Schema(["type": "number", "minimum": 0])

    /// A name, the documented integer, or a manifest.
    private static let protocolReference = any(of: [
        protocolName, object(["name": protocolName], isOpen: true),
    ])

    private static let protocolName = any(of: [
        integer(0...2), text(1...32, pattern: "^([0-2]|[A-Za-z][A-Za-z0-9_-]*)$"),
    ])

    private static let jobTypeReference = Schema([
        "enum": .array(JobType.transfers.flatMap { [.int($0.rawValue), .string($0.name)] })
    ])

    /// One for each entry, and for each empty directory one without a name.
    static let listingLines = list(
        of: object(
            ["dir": text, "name?": text, "st_size?": count, "st_mode?": count, "st_mtime?": integer], isOpen: true))

    /// By directory: entries, or plain names.
    private static let listing = map(
        of: list(
            of: any(of: [
                text,
                object(
                    ["name": text, "st_size?": anything, "st_mode?": anything, "st_mtime?": anything],
                    isOpen: true),
            ])))
}
