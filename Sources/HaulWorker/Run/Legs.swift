import HaulModel
import HaulProtocol

/// The two halves of a COPY between two protocols: who fetches, who brings, and what each is told at first.
struct Legs: Sendable {
    struct Leg: Sendable {
        var plugIn: PlugIn
        var batch: BatchSpec
    }

    var get: Leg
    var put: Leg
    /// For the log of each element.
    var warnings: [String]
    /// The private folders of both, which go with the batch.
    var scratch: [String]
    let credentials: UserCredentials
}

extension Workshop {
    /// True where the bytes of an errand between two protocols can go from one backend to the other through a pipe.
    func streams(_ errand: Errand) -> Bool {
        guard let target = errand.destination, errand.isBridge, let get = try? plugIn(errand.source, for: .get),
            let put = try? plugIn(target, for: .put)
        else { return false }
        return get.operation.stream && put.operation.stream
    }

    /// - Throws: ``Unrunnable`` where a protocol is not here, or why there is no folder for them.
    func legs(of errand: Errand, _ attempt: AttemptKey?) async throws -> Legs {
        let target = errand.destination ?? errand.source
        let from = try plugIn(errand.source, for: .get)
        let to = try plugIn(target, for: .put)
        let credentials = try await UserCredentials(errand, attempt, in: self)
        let scratch: [String]
        do { scratch = try await folder.makeScratch(2) } catch {
            await credentials.remove(self)
            throw error
        }
        let (source, refused) = await site(errand.source, from, own: credentials.files(isSource: true))
        let (destination, alsoRefused) = await site(target, to, own: credentials.files(isSource: false))
        let known = Set(from.found.manifest.unknownOptions(in: errand.options))
            .intersection(to.found.manifest.unknownOptions(in: errand.options))
        let names = "\(from.found.manifest.name) or \(to.found.manifest.name)"
        return Legs(
            get: .init(
                plugIn: from,
                batch: batch(.get, of: errand, with: from, source: source, destination: nil, scratch: scratch[0])),
            put: .init(
                plugIn: to,
                batch: batch(.put, of: errand, with: to, source: destination, destination: nil, scratch: scratch[1])),
            warnings: refused + alsoRefused + known.sorted().map { "option \($0) is not known to protocol \(names)" },
            scratch: scratch, credentials: credentials)
    }
}
