import HaulModel
import HaulProtocol

/// RENAME of what is at a site, also onto a file that gives way. SFTP tells neither inodes nor whether names are compared
/// by case, so two paths can be one file without a sign: nothing is removed before the other is known to be there.
struct Renaming: Sendable {
    let place: RemotePlace
    let element: ElementSpec
    let options: CommonOptions
    let report: ElementReport

    func run(to target: String) async throws {
        let from = place.absolute(ListingPath.directory(element.source))
        let to = place.absolute(ListingPath.directory(target))
        let aside = ListingPath.child(
            RemotePlace.parent(to), try PartFile.name(seed: element.partSeed, size: 0, modified: 0))
        if element.attempt > 1 { try await goBack(from, to, aside) }
        let here = try await place.facts(from, follow: false)
        let there = try await place.facts(to, follow: false)
        let plan = ChangePlan.rename(
            from: element.source, to: target, source: here, destination: there, overwrite: options.overwrite,
            attempt: element.attempt)
        switch plan {
        case .fail(let failure): throw failure
        case .done(let log): report.log(log)
        case .go(let replace):
            if replace, try await isOneName(from, to) {
                throw BackendFailure(.invalid, "\(element.source) and \(target) are one and the same")
            }
            if options.parents { try await place.makeParents(of: to) }
            if replace {
                try await self.replace(from, here, to, aside)
            } else {
                try await place.rename(from, to: to)
            }
            report.log("renamed \(element.source) to \(target)")
        }
    }

    /// Whether both paths are the same name in the same directory, whatever their spelling.
    private func isOneName(_ one: String, _ other: String) async throws -> Bool {
        let (left, right) = (ListingPath.parent(one), ListingPath.parent(other))
        guard TransferPath.same(left.name, right.name) else { return false }
        do {
            return TransferPath.same(
                try await place.client.realpath(left.directory), try await place.client.realpath(right.directory))
        } catch let status as SFTPStatus {
            throw status.failure("cannot look at \(left.directory) and \(right.directory)")
        }
    }

    private func replace(_ from: String, _ here: FileFacts?, _ to: String, _ aside: String) async throws {
        if place.client.offers(.posixRename) {
            try await place.replace(to, with: from, aside: aside)
            // rename(2) of two names of one file does nothing, and says that it was done.
            guard let here, try await place.facts(from, follow: false) == here else { return }
        }
        do {
            try await place.exchange(to, with: from, aside: aside)
        } catch let failure as BackendFailure {
            // It stepped aside with the other: one file under both names, which has the new one now.
            if try await place.facts(from, follow: false) == nil { return }
            throw failure
        }
    }

    /// Undoes or ends what an earlier attempt had begun when it was cut off.
    private func goBack(_ from: String, _ to: String, _ aside: String) async throws {
        let isBack = try await place.goBack(to, from: aside) { try await place.facts(from, follow: false) == nil }
        guard isBack else { return }
        report.log("an earlier attempt was cut off: \(element.destination ?? to) has its old content again")
    }
}
