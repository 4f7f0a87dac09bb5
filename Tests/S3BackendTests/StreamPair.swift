import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// The bench's bucket, and a folder of this machine that the local protocol has.
struct StreamPair {
    let bench: Bench
    let here: CheckSite
    let there: CheckSite

    init(_ bench: Bench, _ settings: [String: JSONValue] = [:]) throws {
        self.bench = bench
        func site(
            _ name: String, _ spec: SiteSpec, _ settings: [String: JSONValue], top: String
        ) throws -> CheckSite {
            let scratch = bench.folder + "/relay-" + name
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            let target = CheckTarget(
                discovered: try #require(Built.protocols()[name]), site: spec, settings: settings, base: "/",
                local: bench.folder + "/local")
            return CheckSite(target: target, top: top, scratch: scratch)
        }
        let local = bench.folder + "/local"
        here = try site("local", SiteSpec(site: "l"), ["roots": [.string(local)]], top: local)
        there = try site("s3", bench.site(), Bench.inParts.merging(settings) { $1 }, top: "")
    }

    func run(
        _ options: [String: JSONValue] = [:], attempt: Int = 1, cancelAt: Int = .max,
        meanwhile: (@Sendable () async -> Void)? = nil
    ) async throws -> CheckRelay.Outcome {
        try await CheckRelay.run(
            here, "from", "to", at: there, options, attempt: attempt, cancelAt: cancelAt, meanwhile: meanwhile)
    }

    func there() async throws -> Data? { try await bench.service.read("to").map { Data($0) } }
    /// The numbers of the parts that were sent since the last rules.
    func sent() async throws -> [Int] {
        try await bench.service.requests().compactMap { request in
            guard request.hasPrefix("PUT "), let match = request.firstMatch(of: /partNumber=(\d+)/) else {
                return nil
            }
            return Int(match.1)
        }
    }

    static func md5(_ content: Data) throws -> String {
        let hash = try StreamHash(.md5)
        content.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
