import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulEngine

/// Paths as long as they may be, of bytes that nothing shortens: no table or index of the database is too narrow for them.
@Suite(.timeLimit(.minutes(6))) struct LongPathTests {
    /// Letters of one to four bytes, and what databases and arrays write otherwise; some of them one letter to Swift with
    /// what stands before.
    private static let letters: [Unicode.Scalar] =
        ((0x21...0x7E).filter { $0 != 0x2F } + [0x301, 0x308, 0x34F] + (0x4E00...0x9FFF) + (0x1F600...0x1F64F))
        .compactMap { Unicode.Scalar($0) }

    /// A slash, and a name that makes it so many bytes.
    private static func path(_ chance: Seeded, bytes: Int = TransferPath.maximumLength) -> String {
        var text = "/"
        while text.utf8.count < bytes - 4 { text.unicodeScalars.append(letters[chance.number(0...letters.count - 1)]) }
        while text.utf8.count < bytes { text.unicodeScalars.append(letters[chance.number(0...90)]) }
        return text
    }

    private struct Refused: Error {}

    /// Works until the job has a status; whatever is no listing fails for good if `failing`.
    private func work(
        _ test: TestEngine, _ job: Job, _ lines: [ListingLine], failing: Bool = false, until status: Status
    ) async throws {
        let worker = try await test.session()
        try await test.withDuties {
            for handout in try await test.claim(worker, limit: 100) {
                for (number, item) in handout.items.enumerated() {
                    let isListing = item.element.type == .list
                    let fails = failing && (!isListing || job.type == .list)
                    let verdict = try await test.report(
                        handout, fails ? 1 : 0, item: number, listing: isListing && !fails ? lines : nil,
                        as: fails ? .permission : nil)
                    guard case .accepted = verdict else { throw Refused() }
                }
            }
            return try await test.engine.job(job.id)?.status == status
        }
    }

    /// A directory whose path is as long as may be, in one of `path` with many files.
    private func lines(_ path: String, _ chance: Seeded) -> [ListingLine] {
        let directory = path + Self.path(chance, bytes: 256)
        let name = TransferPath.name(directory)
        return (0..<9).map { ListingLine(directory: path, entry: ListingEntry(name: "\($0)" + name, kind: .file)) } + [
            ListingLine(directory: path, entry: ListingEntry(name: name, kind: .directory)),
            ListingLine(directory: directory, entry: ListingEntry(name: "g", kind: .file)),
        ]
    }

    /// So long that what ``lines(_:_:)`` has in it is as long as may be.
    private static let top = TransferPath.maximumLength - 256

    @Test(arguments: JobType.transfers) func everyTypeOfJob(type: JobType) async throws {
        let chance = Seeded(UInt64(type.rawValue) + 7)
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let source = Self.path(chance, bytes: type == .mkdir ? TransferPath.maximumLength : Self.top)
        let destination = Self.path(chance)
        let job = try await test.register(
            alice, type, path: source, extra: ["dst_filepath": .string(destination), "max_tries": 1])
        let lines = lines(source, chance)
        try await work(test, job, lines, failing: true, until: .failed)
        let stored = try #require(try await test.engine.job(job.id))
        #expect(TransferPath.same(stored.source.path, source))
        _ = try await test.engine.retry(job: job.id, user: alice, key: nil)
        _ = try await test.engine.cancel(job: job.id)
        try await work(test, job, lines, until: .cancelled)
        _ = try await test.engine.retry(job: job.id, user: alice, key: nil)
        try await work(test, job, lines, until: .done)
    }

    /// What has not ended by then fails: all of it, and on the next job's behalf too.
    @Test(arguments: [JobType.copy, .remove]) func deadlines(type: JobType) async throws {
        let chance = Seeded(UInt64(type.rawValue) + 70)
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        var jobs: [Job] = []
        for path in [Self.path(chance, bytes: Self.top), "/short"] {
            let job = try await test.register(alice, type, path: path, extra: ["max_queue_time": 10])
            let handout = try #require(try await test.claim(try await test.session("lister"), limit: 100).first)
            guard case .accepted = try await test.report(handout, listing: lines(path, chance)) else { throw Refused() }
            jobs.append(job)
        }
        let all = jobs
        try await test.withDuties {
            try await test.engine.store.read { reader in
                try all.allSatisfy { try reader.jobState($0.id)?.expansion == nil }
            }
        }
        for job in jobs { #expect(try await test.elements(job).count > 10) }
        test.advance(seconds: 11)
        try await test.withDuties {
            try await test.engine.store.read { reader in
                try all.allSatisfy { try reader.job($0.id)?.status == .failed }
            }
        }
    }
}
