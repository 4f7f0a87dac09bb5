import Foundation
import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// What becomes of a listing once it is there.
@Suite(.timeLimit(.minutes(5))) struct ExpansionTests {
    private static let lines = [
        ListingLine(directory: "/d", entry: ListingEntry(name: "f", kind: .file, size: 3)),
        ListingLine(directory: "/d", entry: ListingEntry(name: "g", kind: .file, size: 4)),
    ]

    /// A listing that the disk lost, or that is not what it was: its job ends and says so, and others are not held up.
    @Test(arguments: [JobType.copy, .remove, .rename], [true, false])
    func lostListing(type: JobType, isGone: Bool) async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let lost = try await test.listed(alice, type, Self.lines)
        let whole = try await test.listed(alice, .copy, Self.lines)
        let folder = "\(test.folder)/logs/\(lost.logUID.prefix(2))/\(lost.logUID)"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("listing") }
        let listing = folder + "/" + (try #require(names.first))
        if isGone {
            try FileManager.default.removeItem(atPath: listing)
        } else {
            try "no listing\n".write(toFile: listing, atomically: true, encoding: .utf8)
        }
        try await test.withDuties {
            try await test.engine.store.read { reader in
                try reader.job(lost.id)?.status == .failed && reader.jobState(whole.id)?.expansion == nil
            }
        }
        let last = try #require(try await test.elements(lost).last)
        #expect(last.phase == .failed && last.errorClass == .backend)
        #expect(last.reason?.hasPrefix("its listing can't be read any more") == true)
        #expect(try await test.elements(whole).count == 3)
    }
}
