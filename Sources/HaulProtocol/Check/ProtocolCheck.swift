import Foundation
import HaulModel

/// The conformance suite of `protocols/README.md`, run against a protocol and a site that it can reach: ours or a
/// third party's. `haul protocol check` and the tests call the same.
public struct ProtocolCheck: Sendable {
    typealias Body = @Sendable (CheckSite) async throws -> Void

    public let target: CheckTarget

    public init(_ target: CheckTarget) { self.target = target }

    /// Runs every case, one after the other; a case that fails does not end the run. Where the directory can't be reached
    /// at all, ``reaching`` is the only one.
    /// - Parameters:
    ///   - names: The cases that are run; nil: all.
    ///   - onCase: Told of each case as it ends.
    /// - Throws: Where the local directory cannot be used.
    @discardableResult
    public func run(
        only names: Set<String>? = nil, onCase: @Sendable (CheckCase) -> Void = { _ in }
    ) async throws -> [CheckCase] {
        let name = "haul-check-" + String(UInt32.random(in: 0 ... .max), radix: 16)
        let scratch = "\(target.local)/scratch-\(name)"
        try FileManager.default.createDirectory(
            atPath: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let site = CheckSite(target: target, top: ListingPath.child(target.base, name), scratch: scratch)
        var cases: [CheckCase] = []
        let start = ContinuousClock.now
        // What else goes wrong with it - a backend that does not start, no listings at all - the cases say.
        if target.keepsData, let why = try? await CheckContract.obstacle(site) {
            let seconds = (ContinuousClock.now - start).seconds
            let outcome = CheckCase(name: Self.reaching, verdict: .failed(why), seconds: seconds)
            onCase(outcome)
            return [outcome]
        }
        for (name, needsData, body) in Self.cases where names?.contains(name) ?? true {
            let began = ContinuousClock.now
            var verdict = CheckCase.Verdict.passed
            do {
                if needsData, !target.keepsData { throw NotApplicable(reason: "this protocol keeps no data") }
                try await body(site)
            } catch let error as NotApplicable {
                verdict = .notApplicable(error.reason)
            } catch {
                verdict = .failed("\(error)")
            }
            let outcome = CheckCase(name: name, verdict: verdict, seconds: (ContinuousClock.now - began).seconds)
            cases.append(outcome)
            onCase(outcome)
        }
        return cases
    }

    /// The case that is told only where it fails.
    public static let reaching = "the directory can be reached"

    private static let cases: [(name: String, needsData: Bool, body: Body)] = [
        ("a batch of another version is refused", false, CheckContract.otherVersion),
        ("an empty batch ends", false, CheckContract.emptyBatch),
        ("unknown keys and cancels of nobody are ignored", false, CheckContract.unknownKeys),
        ("each of 200 elements has one result", false, CheckContract.manyElements),
        ("mkdir", true, CheckChanges.mkdir),
        ("put and get", true, CheckCopies.putAndGet),
        ("put: existing destinations", true, CheckCopies.existing),
        ("get and copy: existing destinations", true, CheckExisting.getAndCopy),
        ("put: missing parents", true, CheckCopies.parents),
        ("get: missing source", true, CheckCopies.missing),
        ("copy", true, CheckCopies.copy),
        ("copy: verify checksum", true, CheckCopies.checksum),
        ("copy: verify each checksum", true, CheckCopyOptions.algorithms),
        ("put: sync", true, CheckCopyOptions.sync),
        ("bandwidth and streams", true, CheckCopyOptions.bandwidth),
        ("put and get: every checksum", true, CheckPromises.checksums),
        ("put and get: times", true, CheckPromises.times),
        ("put: permissions", true, CheckPromises.permissions),
        ("symbolic links", true, CheckLinks.atTheSite),
        ("symbolic links in a circle", true, CheckLinks.circle),
        ("put: symbolic links", true, CheckLinks.local),
        ("a source that changes under way", true, CheckMeddling.run),
        ("list: a tree", true, CheckListings.tree),
        ("list: cancel", true, CheckCancels.list),
        ("~ and relative paths", true, CheckHome.run),
        ("list: a file, depth, nothing there", true, CheckListings.single),
        ("hostile names", true, CheckNames.run),
        ("names that are not UTF-8", true, CheckNames.notText),
        ("paths with ..", true, CheckNames.dots),
        ("rename", true, CheckChanges.rename),
        ("remove", true, CheckChanges.remove),
        ("a large file", true, CheckFaults.large),
        ("cancel of a transfer", true, CheckFaults.cancel),
        ("cancel of one of several", true, CheckCancels.transfers),
        ("kill of the backend, then another attempt", true, CheckFaults.kill),
        ("an interrupted large file goes on", true, CheckResume.put),
        ("get and copy: an interrupted large file goes on", true, CheckResume.getAndCopy),
        ("between two protocols: a whole file", true, CheckStream.whole),
        ("between two protocols: an interrupted file goes on", true, CheckStream.resumed),
        ("between two protocols: a source that is asked", true, CheckStream.source),
        ("wrong credentials are told nobody", true, CheckCredentials.wrong),
        ("credentials are told nobody", true, CheckCredentials.untold),
        ("clean-up", true, CheckChanges.cleanUp),
    ]
}
