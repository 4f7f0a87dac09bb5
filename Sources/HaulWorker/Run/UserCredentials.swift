import Foundation
import HaulModel
import HaulProtocol
import HaulWire

/// What the user of a batch's job shows at its sites, in files of mode 600 that go with the batch.
struct UserCredentials: Sendable {
    /// Nil where the user shows nothing.
    private var folder: String?
    private var source: [String: String] = [:]
    private var destination: [String: String] = [:]
    /// What the files were made of: a claim that tells something else wants others.
    private var tags: [[String: String]] = []

    /// What the processes of other batches may see, too.
    var isEmpty: Bool { folder == nil }

    /// - Parameter isSource: False for the destination of a COPY.
    func files(isSource: Bool) -> [String: String] { isSource ? source : destination }

    func serves(_ errand: Errand) -> Bool { tags == Self.tags(errand) }

    func remove(_ shop: Workshop) async {
        if let folder { await shop.folder.remove(folder) }
    }

    private static func tags(_ errand: Errand) -> [[String: String]] {
        [errand.source.site.credentials ?? [:], errand.destination?.site.credentials ?? [:]]
    }

    init() {}

    /// Fetches them with an element's lease, where the claim said that there are any.
    ///
    /// - Throws: ``Unrunnable``: the result of all elements.
    init(_ errand: Errand, _ attempt: AttemptKey?, in shop: Workshop) async throws(Unrunnable) {
        tags = Self.tags(errand)
        guard tags.contains(where: { !$0.isEmpty }), let attempt else { return }
        let given = try await Self.fetch(attempt, shop)
        do {
            let folder = try await shop.folder.makeScratch()
            self.folder = folder
            source = try await Self.write(given.source, folder, "source", shop)
            destination = try await Self.write(given.destination, folder, "destination", shop)
        } catch {
            await remove(shop)
            throw Unrunnable(.backend, "the user's credentials can't be kept for the batch: \(error)")
        }
    }

    private static func fetch(_ attempt: AttemptKey, _ shop: Workshop) async throws(Unrunnable) -> GivenCredentials {
        var pause = Duration.milliseconds(200)
        while true {
            let reply: CredentialsReply
            do throws(ServerFailure) { reply = try await shop.server.credentials(of: attempt) } catch {
                guard case .unreachable = error, pause < .seconds(10) else {
                    throw Unrunnable(.interrupted, "the user's credentials were not given: \(error.text)")
                }
                try? await Task.sleep(for: pause)
                pause *= 2
                continue
            }
            switch reply {
            case .given(let credentials): return credentials
            case .expired(let detail): throw Unrunnable(.credentialExpired, detail)
            }
        }
    }

    private static func write(
        _ secrets: [String: Data], _ folder: String, _ side: String, _ shop: Workshop
    ) async throws -> [String: String] {
        var files: [String: String] = [:]
        for (place, (kind, secret)) in secrets.sorted(by: { $0.key < $1.key }).enumerated() {
            // Kinds come from the server: they make no file names.
            let path = "\(folder)/\(side)-\(place)"
            try await shop.folder.write(secret, to: path)
            files[kind] = path
        }
        return files
    }
}
