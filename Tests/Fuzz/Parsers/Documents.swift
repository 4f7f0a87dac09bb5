import Foundation
import HaulHTTP
import HaulModel

@testable import HaulConfig

extension Parser {
    /// JSON and what is made of it, whoever sent it.
    static let documents = [
        Parser(name: "json", feed: json), Parser(name: "config", feed: config),
        Parser(name: "manifest", feed: manifest), Parser(name: "job", feed: job), Parser(name: "site", feed: site),
    ]

    /// What was read is written, and read again as the same; Foundation reads no other thing.
    private static func json(_ data: Data) throws {
        guard let value = try? JSONReader.value(Array(data)) else { return }
        var writer = JSONWriter()
        writer.value(value)
        guard let again = try? JSONReader.value(writer.bytes) else {
            throw Contradiction("\(value) is written as no JSON")
        }
        try hold(again == value, "\(value) is read as \(again)")
        if let strict = try? JSONReader.value(Array(data), refusesDuplicates: true) {
            try hold(strict == value, "\(value) is strictly \(strict)")
            guard let other = try? JSONDecoder().decode(JSONValue.self, from: data) else { return }
            try hold(other.likened == value.likened, "\(value) is to Foundation \(other)")
        }
    }

    /// JSON is JSON5, and means the same.
    private static func config(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        let value = try? ConfigFile.parse(
            JSONValue.self, text: text, name: "fuzz", environment: ["HOME": "/h", "EMPTY": ""])
        guard let value, !text.contains("$"), let strict = try? JSONReader.value(Array(text.utf8)) else { return }
        try hold(value.likened == strict.likened, "\(strict) is as JSON5 \(value)")
    }

    private static func manifest(_ data: Data) throws {
        let manifest: ProtocolManifest
        do { manifest = try ProtocolManifest.parse(data) } catch {
            return try hold(!error.message.isEmpty, "a manifest is refused without a word")
        }
        let written = try JSONEncoder().encode(manifest)
        do {
            let again = try ProtocolManifest.parse(written)
            try hold(again == manifest, "\(manifest) is read as \(again)")
        } catch let error as ManifestError {
            throw Contradiction("\(manifest) is refused when it is written: \(error)")
        }
    }

    private static let rules = RegistrationRules(
        sites: SiteDirectory([
            Site(id: 1, name: "a", protocolName: .ssh, endpoints: [], root: "/srv"),
            Site(id: 2, name: "b", protocolName: .gridftp, endpoints: ["b:2811"]),
        ])
    ) { _ in CommonOptions.specs }

    /// What somebody registers, and what they change of it.
    private static func job(_ data: Data) throws {
        guard let document = try? JSONReader.value(Array(data)).object else { return }
        for type in [nil, JobType.copy, .remove] {
            do {
                let job = try JobRequest(document, type: type, rules: rules)
                for path in [job.source.path, job.destination?.path].compactMap(\.self) {
                    try hold(TransferPath.problem(path) == nil, "\(path) is let through")
                }
                try hold((0...9).contains(job.priority) && (1...100).contains(job.maxTries), "\(job)")
                try hold(!job.queue.isEmpty && job.queue.utf8.count <= 64, "the queue \(job.queue) is let through")
            } catch let problems as FieldProblems {
                try hold(!problems.fields.isEmpty, "a job is refused without a word")
            }
        }
        do {
            try hold(!JobChange(document).summary.isEmpty, "\(document) changes nothing")
        } catch let problems as FieldProblems {
            try hold(!problems.fields.isEmpty, "a change is refused without a word")
        }
        // Before 1582 Foundation's calendar is another.
        if let time = (document["deadline"]?.string).flatMap({ Timestamp(text: $0) }), time.milliseconds >= 0 {
            try hold(Timestamp(text: time.text) == time, "\(time.text) is another time")
        }
    }

    /// A site's document says all of it.
    private static func site(_ data: Data) throws {
        guard let document = try? JSONReader.value(Array(data)).object else { return }
        var site = Site(id: 1, name: "a", protocolName: .ssh, endpoints: [])
        var again = site
        do {
            try site.update(document) { _ in CommonOptions.specs }
        } catch {
            return try hold(!error.fields.isEmpty, "a site is refused without a word")
        }
        again.name = site.name
        do { try again.update(site.document) { _ in nil } } catch {
            throw Contradiction("\(site) is refused when it is written: \(error)")
        }
        try hold(again == site, "\(site) is read as \(again)")
    }
}

extension JSONValue {
    /// With all numbers of one kind, as readers differ in which are whole; and without those of which a reader may lose the
    /// last digits.
    var likened: JSONValue {
        switch self {
        case .int(let number): JSONValue.double(Double(number)).likened
        case .double(let number) where abs(number) > 1e15: .null
        case .array(let items): .array(items.map(\.likened))
        case .object(let fields): .object(fields.mapValues(\.likened))
        default: self
        }
    }
}
