import HaulModel

// What users keep with their jobs: a JSON object each.
extension Ask {
    /// The properties of jobs, by id, as JSON; without those of jobs that have none.
    public static func properties(ofJobs ids: some Collection<Int>) -> Question<[Int: String]> {
        Question(
            "SELECT job_id, document FROM job_properties WHERE job_id = $1 AND size > 2", batch: ids.map { [.int($0)] },
            nothing: [:]
        ) { $0[$2.int(0)] = $2.text(1) }
    }

    /// How long they are, in bytes.
    public static func propertySizes(ofJobs ids: some Collection<Int>) -> Question<[Int: Int]> {
        Question(
            "SELECT job_id, size FROM job_properties WHERE job_id = $1 AND size > 2", batch: ids.map { [.int($0)] },
            nothing: [:]
        ) { $0[$2.int(0)] = $2.int(1) }
    }
}

/// A job's properties as they were read.
public struct KeptProperties: Sendable, Hashable {
    /// A JSON object; nil where none was ever kept.
    public var document: String?
    /// Raised with every change; 0 where none was ever kept.
    public var revision: Int
    /// The name of the job's user.
    public var owner: String
}

extension StoreReader {
    public func properties(ofJob job: Int) throws -> String? {
        try answer(to: Ask.properties(ofJobs: [job]))[job]
    }

    /// What is kept with a job; nil where there is no job.
    public func keptProperties(ofJob job: Int) throws -> KeptProperties? {
        try db.first(
            """
            SELECT p.document, COALESCE(p.revision, 0), u.name FROM jobs j JOIN users u ON u.id = j.user_id
            LEFT JOIN job_properties p ON p.job_id = j.id WHERE j.id = $1
            """, [.int(job)]
        ) { KeptProperties(document: $0.optionalText(0), revision: $0.int(1), owner: $0.text(2)) }
    }

    /// Bytes of what a user keeps with all of their jobs.
    public func propertyBytes(ofUser user: Int) throws -> Int {
        try db.first("SELECT property_bytes FROM users WHERE id = $1", [.int(user)]) { $0.int(0) } ?? 0
    }
}

extension StoreWriter {
    /// Keeps a JSON object with a user's job, in the place of the one with that revision.
    ///
    /// - Returns: how many bytes more there are than before; nil where somebody was faster: nothing was done.
    public func keepProperties(_ document: String, ofJob job: Int, user: Int, after revision: Int) throws -> Int? {
        let before = try db.first("SELECT revision, size FROM job_properties WHERE job_id = $1", [.int(job)]) {
            (revision: $0.int(0), size: $0.int(1))
        }
        guard before?.revision ?? 0 == revision else { return nil }
        let size = document.utf8.count
        try db.run(
            """
            INSERT INTO job_properties (job_id, document, size, revision) VALUES ($1, $2, $3, 1)
            ON CONFLICT (job_id) DO UPDATE SET document = excluded.document, size = excluded.size,
                revision = job_properties.revision + 1
            """, [.int(job), .text(document), .int(size)])
        let more = size - (before?.size ?? 0)
        try count(more, user: user)
        return more
    }

    func removeProperties(ofJob job: Int) throws {
        let kept = try db.first(
            "SELECT j.user_id, p.size FROM job_properties p JOIN jobs j ON j.id = p.job_id WHERE p.job_id = $1",
            [.int(job)]
        ) { (user: $0.int(0), size: $0.int(1)) }
        guard let kept else { return }
        try db.run("DELETE FROM job_properties WHERE job_id = $1", [.int(job)])
        try count(-kept.size, user: kept.user)
    }

    private func count(_ bytes: Int, user: Int) throws {
        try db.run("UPDATE users SET property_bytes = property_bytes + $2 WHERE id = $1", [.int(user), .int(bytes)])
    }
}
