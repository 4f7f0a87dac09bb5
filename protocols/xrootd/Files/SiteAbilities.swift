import HaulModel
import HaulProtocol

/// What the server of a site offers, asked once a batch.
struct SiteAbilities: Sendable, Hashable {
    /// The checksums that it computes, in its order, of those that are known here.
    var checksums: [StreamHash.Algorithm]
    /// It copies from and to other servers.
    var thirdParty: Bool

    static func ask(_ files: RemoteFiles) async throws -> SiteAbilities {
        // 0:md5,1:adler32 of newer servers, adler32 of older ones.
        let checksums = try await files.configuration("chksum")?.split(separator: ",").compactMap { offer in
            offer.split(separator: ":").last.flatMap { StreamHash.Algorithm(rawValue: String($0)) }
        }
        let thirdParty = try await files.configuration("tpc").flatMap { Int($0) } ?? 0
        return SiteAbilities(checksums: checksums ?? [], thirdParty: thirdParty > 0)
    }
}
