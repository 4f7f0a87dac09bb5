import HaulCurl
import HaulModel
import HaulProtocol

/// What changes a server: one request each, with the answers that mean success or "somebody else did it".
extension Server {
    /// Makes the directory and, one level at a time, those above it that are missing. Being there is fine, whoever
    /// made it.
    func makeDirectories(_ location: Location) async throws {
        // A server of plain HTTP that takes a PUT makes what it needs.
        guard !location.isRoot, !isPlain else { return }
        try await directories.ensure(location) {
            if let found = try await self.facts(location) {
                guard found.kind == .directory else {
                    throw BackendFailure(.exists, "\(location.given) is there and is not a directory")
                }
            } else if !self.isPlain {
                try await self.makeDirectories(location.parent)
                try await self.makeDirectory(location)
            }
        }
    }

    /// Makes the directory that a place stands in where that is missing, or fails because of it.
    func prepareParent(of location: Location, make: Bool) async throws {
        if make { return try await makeDirectories(location.parent) }
        if !isPlain, try await facts(location.parent) == nil {
            throw BackendFailure(
                .notFound,
                "\(location.parent.given), the destination's directory, does not exist (option parents makes it)")
        }
    }

    /// Makes one directory whose parent is there.
    func makeDirectory(_ location: Location) async throws {
        let response = try await curl.metadata.perform(request(.makeCollection, location, directory: true))
        if response.isSuccess { return }
        // 405: something is there. Someone may have made it since it was looked for; where another process did so at
        // the very moment, apache answers 403.
        if response.status == 405 || response.status == 403, let found = try await facts(location) {
            if found.kind == .directory { return }
            throw BackendFailure(.exists, "\(location.given) is there and is not a directory")
        }
        throw response.failure("MKCOL \(location.given)")
    }

    /// Removes a file, or a directory with all that is in it: for the latter see ``Removal``.
    func delete(_ location: Location, directory: Bool = false) async throws {
        let response = try await curl.metadata.perform(request(.delete, location, directory: directory))
        if response.isSuccess, response.status != 207 { return }
        if response.repeated, response.status == 404 { return }
        // nginx answers 409 to a collection without its slash: it became one meanwhile.
        if response.status == 409 {
            throw BackendFailure(.invalid, "DELETE \(location.given): HTTP 409, it is not what it was")
        }
        throw response.failure("DELETE \(location.given)")
    }

    /// Renames within the server.
    /// - Returns: False where the server has no MOVE.
    func move(_ source: Location, to target: Location, directory: Bool = false, replace: Bool) async throws -> Bool {
        let method = HTTPRequest.Method.move(to: site.url(target, directory: directory), overwrite: replace)
        let response = try await curl.metadata.perform(request(method, source, directory: directory))
        if response.isSuccess, response.status != 207 { return true }
        if response.status == 405 || response.status == 501 { return false }
        if response.status == 412 {
            // Some look at the target first: what is there may be what the first of two requests moved.
            if response.repeated, try await facts(source) == nil { return true }
            throw BackendFailure(.exists, "MOVE to \(target.given): HTTP 412, something is there by now")
        }
        // Sent twice: the first may have done it.
        if response.repeated, response.status == 404, try await facts(target) != nil { return true }
        throw response.failure("MOVE \(source.given) to \(target.given)")
    }

    /// Whether the server copies to the other's places by itself. Through one site: the location of the source below
    /// the other's prefix need not exist.
    func copies(to other: Server) -> Bool { site.isSameServer(as: other.site) && site.prefix == other.site.prefix }

    /// Copies within the server; the file's data goes through no one else.
    /// - Returns: False where the server has no COPY.
    func copy(_ source: Location, to target: Location) async throws -> Bool {
        let method = HTTPRequest.Method.copy(to: site.url(target), overwrite: true)
        var request = request(method, source)
        // Not a byte comes back until all is done; who waits for this watches the part file grow.
        request.stallSeconds = max(86_400, curl.stallSeconds)
        let response = try await curl.copies.perform(request)
        if response.isSuccess, response.status != 207 { return true }
        if [400, 403, 405, 501, 502].contains(response.status) { return false }
        throw response.failure("COPY \(source.given) to \(target.given)")
    }
}
