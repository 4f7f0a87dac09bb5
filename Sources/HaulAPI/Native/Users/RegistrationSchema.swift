import Foundation
import HaulModel
import HaulWire

/// What registrations and changes of jobs may say, as ``JobRequest`` and ``JobChange`` read it.
extension Schema {
    /// A site as requests name it.
    static let siteReference = any(of: [.integer, .text]).about("A site's id or name")
    static let statusReference = any(of: [one(of: Status.allCases.map(\.name)), integer(0...5)]).about("In any case")
    static let typeReference = any(of: [one(of: JobType.allCases.map(\.name)), integer(0...5)]).about("In any case")
    /// Where jobs stand, one of several stages.
    static let stages = text(
        0...200, pattern: "^(?:(?:%)(?:,(?:%))*)?$".replacing("%", with: JobStage.names.joined(separator: "|"))
    ).about("Stages, with commas")
    /// Why jobs failed, for one of several reasons.
    static let errorClasses = text(
        0...400,
        pattern: "^(?:(?:%)(?:,(?:%))*)?$".replacing(
            "%", with: ErrorClass.allCases.map(\.rawValue).joined(separator: "|"))
    ).about("Classes of errors, with commas: of those that failed")
    /// A moment as queries name it.
    static let since = any(of: [
        Schema(["type": "string", "format": "date-time"]), Schema(["type": "string", "format": "date"]),
        Schema(["const": ""]),
        Schema(["type": "number", "minimum": -999_999_999_999, "maximum": 999_999_999_999])
            .about("Seconds since 1970"),
    ])

    /// Of the type that the URL stands for.
    ///
    /// - Parameter protocols: what a job may name.
    static func registration(_ type: JobType, _ protocols: Set<ProtocolName>) -> Schema {
        var place: KeyValuePairs<String, Schema> = ["src_siteid": siteReference, "src_filepath": path]
        if type == .rename {
            place = ["src_siteid": siteReference, "src_filepath": path, "dst_filepath": path]
        }
        if type == .copy {
            place = [
                "src_siteid": siteReference, "src_filepath": path, "dst_siteid": siteReference, "dst_filepath": path,
            ]
        }
        if type == .task { place = [JobRequest.taskName: task] }
        return object(place, isOpen: true).adding("New\(type.name.capitalized)", usual(protocols))
    }

    /// Of the type that it names.
    static func registration(_ protocols: Set<ProtocolName>) -> Schema {
        any(
            of: JobType.allCases.map { type in
                let names: [JSONValue] = [
                    .int(type.rawValue), .string("\(type.rawValue)"), .string(type.name),
                    .string(type.name.lowercased()),
                ]
                return registration(type, protocols).adding(
                    "New\(type.name.capitalized)Job",
                    object(["type": Schema(["enum": .array(names)])], isOpen: true))
            })
    }

    static let jobChange = object([
        "priority?": integer(0...9), "queue?": word(64), "label?": word(256).orNull, "deadline?": time.orNull,
        "execution_duration?": integer(0...JobRequest.longestQueueTime), "destruction?": time.orNull, "keep?": flag,
        "id?": anything, "status?": anything, "user_id?": anything, "log_uid?": anything,
        "attempts?": anything,
    ]
    ).with(
        "anyOf",
        .array(
            ["priority", "queue", "label", "deadline", "execution_duration", "destruction", "keep"].map {
                ["required": [.string($0)]]
            }))

    /// Any text; it is given to who pops the job.
    private static let task = text(1...JobRequest.taskLimit - 2)

    /// Absolute, `~/...`, or relative, which means below `~/`.
    private static let path = text(
        1...TransferPath.maximumLength,
        pattern: "^(~|~/[^\\x00-\\x1f\\x7f-\\x9f]*|[^~\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*)$")

    /// What any type may say besides.
    private static func usual(_ protocols: Set<ProtocolName>) -> Schema {
        object(
            [
                "priority?": integer(0...9).orNull.about("0 is served first; 5 unless said"),
                "max_tries?": integer(1...100).orNull.about("2 unless said"), "queue?": word(64).orNull,
                "label?": word(256).orNull, "deadline?": time.orNull.about("When what has not ended fails"),
                "max_queue_time?": integer(1...JobRequest.longestQueueTime).orNull.about(
                    "The same, in seconds from now"),
                "execution_duration?": integer(0...JobRequest.longestQueueTime).orNull.about(
                    "Seconds from its start after which it is cancelled; 0 is any number"),
                "destruction?": time.orNull.about("When it is cancelled and removed"),
                "protocol?": one(of: protocols).orNull.about("That of the site unless said"),
                "extra_opts?": options.orNull,
            ], isOpen: true)
    }

    /// By the documented integer, or by name, in any case.
    private static func one(of protocols: Set<ProtocolName>) -> Schema {
        let names = protocols.map(\.name).sorted()
        return Schema([
            "enum": .array(
                ProtocolName.documented.indices.map { .int($0) } + names.map { .string($0) }
                    + names.map { .string($0.lowercased()) })
        ])
    }

    /// Those that every protocol knows; manifests name more.
    private static let options = Schema([
        "type": "object",
        "properties": .object(
            Dictionary(CommonOptions.specs.map { ($0.name, JSONValue.object(option($0).orNull.value)) }) { $1 }),
        "additionalProperties": true,
    ])

    private static func option(_ spec: OptionSpec) -> Schema {
        let schema: Schema =
            switch spec.type {
            case .bool: flag
            case .int: integer((spec.min ?? Int.min)...(spec.max ?? Int.max))
            case .string: text
            case .enum: one(of: spec.values ?? [])
            case .list: list(of: text)
            }
        return spec.summary.isEmpty ? schema : schema.about(spec.summary)
    }

    /// A text without control characters.
    private static func word(_ limit: Int) -> Schema { text(1...limit, pattern: "^[^\\x00-\\x1f\\x7f]*$") }
}

extension Route {
    /// Safe to repeat for a day.
    static let idempotent: KeyValuePairs<String, Schema> = [
        "\(WirePath.idempotencyHeader)?": Schema.text(1...255, pattern: "^[!-~]([ -~]*[!-~])?$")
            .about("The same request under the same key of the same user is answered as the first was")
    ]
}

extension Route.Content {
    /// One job, a list of them, or one a line.
    static func registration(_ protocols: Set<ProtocolName>, most: Int) -> Route.Content {
        let one = Schema.registration(protocols)
        return .json(.any(of: [one, .list(of: one, 0...most)])).orLines(.list(of: one, 0...most))
    }
}

extension Route.Answer {
    static let usedKey = Route.Answer.conflict("The Idempotency-Key was used for another request.")
    static let goneKey = Route.Answer.notFound("What was registered under the Idempotency-Key was removed since.")
}
