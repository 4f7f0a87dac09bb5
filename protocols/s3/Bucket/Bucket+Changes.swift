import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

extension Bucket {
    /// Removes an object; being gone is fine.
    func delete(_ key: [UInt8], _ shown: String) async throws {
        let reply = try await send(request(.delete, key))
        guard reply.response.isSuccess || reply.response.status == 404 && reply.error?.code != "NoSuchBucket" else {
            throw reply.response.failure("DELETE \(shown)", reply.error)
        }
    }

    /// Writes a directory's marker.
    func mark(_ place: Place) async throws {
        _ = try await accepted(
            request(.put, place.directoryKey, headers: [("Content-Type", "application/x-directory")]),
            "PUT \(place.shown)/")
    }

    /// Sees to it that a directory stays when the last of its keys goes: once a directory and batch. What was one
    /// because of its keys alone gets a marker.
    /// - Returns: Why it may vanish, where it may.
    func keep(_ place: Place) async -> String? {
        if place.location.isRoot { return nil }
        do {
            try await marked.ensure(place.location) { [self] in
                let first = try await firstKeys(of: place.directoryKey, most: 1, place.shown).first
                if first?.key != place.directoryKey { try await mark(place) }
            }
            return nil
        } catch {
            return "\(place.shown) gets no marker and is gone with its last file: \(error)"
        }
    }

    /// Whether something can be put into a directory: it is there, or may be made, and no file has one of its names.
    /// S3 would take the key all the same, and no file system could ever hold both.
    func prepareParent(of place: Place, make: Bool) async throws {
        let parent = try place.parent(at: site)
        if parent.location.isRoot { return }
        if !make {
            guard case .directory? = try await look(parent) else {
                throw BackendFailure(
                    .notFound,
                    "\(parent.shown), the destination's directory, does not exist (option parents makes it)")
            }
            return
        }
        try await usable.ensure(parent.location) { [self] in
            try await prepareParent(of: parent, make: true)
            if try await object(parent) != nil {
                throw BackendFailure(.exists, "\(parent.shown) is a file, so nothing can lie below it")
            }
        }
    }

    /// Lets the server copy an object, in one request.
    /// - Parameter etag: What the source must still be.
    /// - Returns: The new object's ETag; nil where the server does not copy.
    func copy(
        _ source: Place, at other: Site, etag: String, to target: Place, onlyIfMissing: Bool
    ) async throws -> String? {
        var headers: [SigV4.Header] = [("x-amz-copy-source", other.copySource(source.key))]
        if !etag.isEmpty { headers.append(("x-amz-copy-source-if-match", etag)) }
        let conditional = onlyIfMissing && canCondition
        if conditional { headers.append(("If-None-Match", "*")) }
        let what = "copy of \(source.shown) to \(target.shown)"
        let reply = try await send(request(.put, target.key, headers: headers), in: curl.copies)
        if reply.isUnknownToServer {
            guard conditional else { return nil }
            rememberNoCondition()
            return try await copy(source, at: other, etag: etag, to: target, onlyIfMissing: false)
        }
        // A copy may fail after its 200 was sent.
        if reply.response.isSuccess, let result = XMLTree.parse(reply.document), result.name != "Error" {
            return result["ETag"]
        }
        if conditional, reply.repeated, reply.response.status == 412, !etag.isEmpty,
            let there = try await object(target), there.etag == etag
        {
            // The answer to the first of two was lost.
            return there.etag
        }
        guard reply.response.isSuccess else { throw refused(reply, what, source, conditional) }
        var failure = reply.response
        failure.status = 500
        throw failure.failure(what, reply.error)
    }

    /// A precondition that fails is about the source or the destination.
    private func refused(_ reply: Reply, _ what: String, _ source: Place, _ conditional: Bool) -> BackendFailure {
        var failure = reply.response.failure(what, reply.error)
        if reply.response.status == 412, !conditional {
            failure = BackendFailure(.interrupted, "\(source.shown) changed while it was copied", returncode: 22)
        }
        return failure
    }
}
