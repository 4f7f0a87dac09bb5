import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

/// The s3 protocol against a service that checks signatures, with parts as small as S3 has them.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct S3Conformance {
    /// All must hold; a bucket is no disk on which a name could be made that JSON cannot carry.
    @Test func s3() async throws {
        let limits = Limits.all(Limits.noDisk, Limits.ownTimes, Limits.ownPermissions)
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/local", withIntermediateDirectories: true)
        let key = folder + "/key"
        _ = FileManager.default.createFile(
            atPath: key, contents: Data("\(S3Service.accessKey):\(S3Service.secretKey)\n".utf8),
            attributes: [.posixPermissions: 0o600])
        let service = try await S3Service.start()
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["s3"]),
            site: SiteSpec(
                site: "s3-a", endpoints: [service.endpoint],
                options: ["bucket": .string(S3Service.bucket), "prefix": "home"], credentials: ["s3-key": key]),
            settings: [
                "multipart_threshold": 5_242_880, "part_size": 5_242_880, "copy_threshold": 5_242_880,
                "copy_part_size": 8_388_608,
            ],
            base: "/base", local: folder + "/local", resumeBytes: 256 << 20)
        let cases: [CheckCase]
        do { cases = try await ProtocolCheck(target).run() } catch {
            await service.stop()
            throw error
        }
        let (keys, unfinished) = (try await service.keys(), try await service.unfinished())
        await service.stop()
        for outcome in cases { #expect(outcome.verdict == limits[outcome.name] ?? .passed, "\(outcome)") }
        // Nothing is left but the directory that the run's was made in, which stays as directories do.
        #expect(keys.map { String(decoding: $0, as: UTF8.self) } == ["home/base/"])
        // One was killed before its first part was there: nobody can tell whose it is, so it is the bucket's to clean up.
        #expect(unfinished.count <= 1, "\(unfinished)")
    }
}
