public import HaulModel
import HaulStore

/// What users keep with their jobs: names and values of their own, which go with the job.
extension Engine {
    /// Bytes of a job's properties, as JSON.
    public static let propertiesLimit = 2 << 20
    /// Names of a job's properties; and values in one change, each counted that stands in another.
    public static let mostProperties = 100_000
    /// How often a change is tried that other servers of the database were faster than.
    private static let propertyTries = 50

    /// A job's properties as a JSON object, its names in order.
    public func properties(ofJob id: Int) async throws -> [UInt8] {
        try await store.ask { try $0.properties(ofJob: id) }.map { Array($0.utf8) } ?? Self.noProperties
    }

    /// Those of several, by id; without those of jobs that have none.
    public func properties(ofJobs ids: [Int]) async throws -> [Int: [UInt8]] {
        if ids.isEmpty { return [:] }
        return try await store.ask { try $0.answer(to: Ask.properties(ofJobs: ids)) }.mapValues { Array($0.utf8) }
    }

    public static let noProperties = Array("{}".utf8)

    /// Changes some of a job's properties. What others change at the same time stays: what was read is merged and written
    /// outside of the transaction, which keeps it only if it is still what is there; else it is done once more.
    ///
    /// - Parameters:
    ///   - changes: what is set, in the place of what was there under the same name.
    ///   - removed: names whose values go.
    /// - Returns: all that there is now, as JSON.
    /// - Throws: `.tooLarge` where it would be longer than ``propertiesLimit``, have more names than ``mostProperties``, or
    ///   its user's would be longer together than they may; `.notFound` for a job that is not there; `.unavailable` where
    ///   others are faster all the time.
    public func changeProperties(
        ofJob id: Int, _ changes: JSONMembers, removing removed: [String] = []
    ) async throws -> [UInt8] {
        // What is too long by itself is not merged first.
        guard changes.size <= Self.propertiesLimit else { throw EngineError.propertiesTooLong }
        return try await propertyTurns.take(id) {
            for _ in 0..<Self.propertyTries {
                if let json = try await self.changed(id, changes, without: removed) { return json }
            }
            throw EngineError.propertiesBusy
        }
    }

    /// - Returns: nil where somebody was faster.
    private func changed(_ id: Int, _ changes: JSONMembers, without removed: [String]) async throws -> [UInt8]? {
        guard let before = try await store.ask({ try $0.keptProperties(ofJob: id) }) else {
            throw EngineError.noJob(id)
        }
        var all = try Self.members(before.document)
        for name in removed { all[name] = nil }
        all.merge(changes)
        guard all.count <= Self.mostProperties else { throw EngineError.tooManyProperties }
        let json = all.json
        guard json.count <= Self.propertiesLimit else { throw EngineError.propertiesTooLong }
        let document = String(decoding: json, as: UTF8.self)
        let limit = configuration.limits.of(before.owner).properties
        let isKept = try await store.write(isLarge: json.count > 64 << 10) { writer in
            let user = try Self.known(id, writer).job.userID
            if document == before.document { return true }
            let more = try writer.keepProperties(document, ofJob: id, user: user, after: before.revision)
            guard let more else { return false }
            if let limit, more > 0, try writer.reader.propertyBytes(ofUser: user) > limit {
                throw EngineError.propertiesTooMany(limit)
            }
            return true
        }
        return isKept ? json : nil
    }

    private static func members(_ document: String?) throws -> JSONMembers {
        guard let document else { return JSONMembers() }
        guard let members = try JSONMembers(Array(document.utf8)) else {
            throw StoreError.failed("the properties of a job are no object")
        }
        return members
    }
}

extension EngineError {
    fileprivate static let propertiesTooLong = EngineError(
        .tooLarge, code: "properties_too_long",
        detail: "The properties of a job have \(Engine.propertiesLimit) bytes at most, as JSON; nothing was changed.",
        hint: "Take some away first, or keep large things elsewhere and their places here.")

    fileprivate static let tooManyProperties = EngineError(
        .tooLarge, code: "too_many_properties",
        detail: "A job has \(Engine.mostProperties) properties at most; nothing was changed.",
        hint: "Take some away first, or keep several values under one name.")

    fileprivate static func propertiesTooMany(_ limit: Int) -> EngineError {
        EngineError(
            .tooLarge, code: "properties_limit",
            detail: "The properties of all jobs of this user have \(limit) bytes at most; nothing was changed.",
            hint: "Take away those of jobs that are over, or ask the operators for more: properties_per_user.")
    }

    fileprivate static let propertiesBusy = EngineError(
        .unavailable, code: "properties_busy",
        detail: "Others change the properties of this job all the time; nothing was changed.",
        hint: "Try again in a while, or change several at once.")
}
