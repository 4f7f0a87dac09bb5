import Foundation

/// What was asked of a job that is registered and not committed, as it was given: nothing of it is checked before.
public struct JobDraft: Sendable, Hashable {
    /// The type that was named; nil while none is known.
    public var type: JobType?
    /// A registration's document. What nobody knows stays in it.
    public var document: [String: JSONValue]

    /// - Parameter type: what the job has to be, whatever its document says; nil where that says it.
    public init(type: JobType? = nil, document: [String: JSONValue]) {
        self.type = type ?? document["type"].flatMap { JobType($0) }
        self.document = document
        if let type { self.document["type"] = .string(type.name) }
    }

    /// It is no longer than what a list of jobs can hold.
    public var isShort: Bool {
        (try? JSONEncoder().encode(document)).map { $0.count <= JobRequest.optionsLimit } ?? false
    }

    /// The same with fields and options changed; null takes one away.
    public func changed(by changes: [String: JSONValue]) -> JobDraft {
        var document = document
        for (name, value) in changes {
            if name == JobRequest.optionsName, let options = value.object {
                let old = document[name]?.object ?? [:]
                document[name] = .object(old.merging(options) { $1 }.filter { !$0.value.isNull })
            } else {
                document[name] = value.isNull ? nil : value
            }
        }
        return JobDraft(document: document)
    }
}

extension Job {
    /// What was asked: as it was given, or as a registration would say it.
    public var parameters: [String: JSONValue] {
        if let draft { return draft.document }
        var document: [String: JSONValue] = [
            "type": .string(type.name), "priority": .int(priority), "max_tries": .int(maxTries),
            "queue": .string(queue),
        ]
        if type != .task {
            document["src_siteid"] = .int(source.siteID)
            document["src_filepath"] = .string(source.path)
            document["protocol"] = .string(protocolName.name)
        }
        if let destination {
            if type == .copy { document["dst_siteid"] = .int(destination.siteID) }
            document["dst_filepath"] = .string(destination.path)
        }
        if let deadline { document["deadline"] = .string(deadline.text) }
        if !options.isEmpty { document[JobRequest.optionsName] = .object(options) }
        return document
    }
}
