import HaulCurl
import HaulModel
import HaulProtocol

/// REMOVE and MKDIR: look, decide by the kit's rules, one request.
struct Change: Sendable {
    let bucket: Bucket
    let options: CommonOptions
    let element: ElementSpec
    let report: ElementReport

    /// Takes one key alone, whatever comes meanwhile: of a directory its marker, once there is no other key below it.
    func remove() async throws {
        let place = try Place(element.source, at: bucket.site)
        if place.location.isRoot { throw BackendFailure(.permission, "\(element.source) is the site's root") }
        var found = try await bucket.look(place)
        if found == nil, place.location.saysDirectory {
            // A file of that name is none of a directory.
            found = try await bucket.object(place.asFile(at: bucket.site)).map { .file($0) }
        }
        guard
            try go(ChangePlan.remove(element.source, found: found?.facts, attempt: element.attempt))
        else { return }
        if case .directory(let marker)? = found {
            let keys = try await bucket.firstKeys(of: place.directoryKey, most: 2, place.shown)
            guard keys.allSatisfy({ $0.key == place.directoryKey }) else {
                throw BackendFailure(.notEmpty, "\(element.source) is not empty")
            }
            if let marker, marker.size > 0 {
                throw BackendFailure(
                    .invalid, "\(element.source) is an object of \(marker.size) bytes, which no job can name: it stays")
            }
        }
        if let doubt = await bucket.keep(try place.parent(at: bucket.site)) { report.log(doubt) }
        guard case .directory? = found else { return try await bucket.delete(place.key, place.shown) }
        bucket.marked.forget()
        try await bucket.delete(place.directoryKey, "\(place.shown)/")
    }

    func makeDirectory() async throws {
        let place = try Place(element.source, at: bucket.site)
        // What stands there counts, be it asked for with a slash or without.
        var found = try await bucket.look(place)
        if found == nil, place.location.saysDirectory {
            found = try await bucket.object(place.asFile(at: bucket.site)).map { .file($0) }
        }
        let plan = ChangePlan.mkdir(
            element.source, found: found?.facts, parents: options.parents, attempt: element.attempt)
        guard try go(plan) else { return }
        try await bucket.prepareParent(of: place, make: options.parents)
        try await bucket.mark(place)
    }

    /// False where nothing is left to do.
    private func go(_ plan: ChangePlan) throws -> Bool {
        switch plan {
        case .go: return true
        case .done(let log):
            report.log(log)
            return false
        case .fail(let failure): throw failure
        }
    }
}
