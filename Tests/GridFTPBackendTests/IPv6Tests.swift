import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Testing

/// Servers that are reached over IPv6 alone.
@Suite(.timeLimit(.minutes(6)))
struct IPv6Tests {
    private func withServers(_ body: (Bench, SiteSpec, SiteSpec) async throws -> Void) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let first = try await GridFTPServer.anonymous(isIPv6: true)
        let second = try await GridFTPServer.anonymous(isIPv6: true)
        do {
            try await body(
                bench, SiteSpec(site: "a", endpoints: [first.endpoint]),
                SiteSpec(site: "b", endpoints: [second.endpoint]))
        } catch {
            Issue.record(error)
        }
        await first.stop()
        await second.stop()
    }

    /// Small files over shared connections, a large one over several of its own.
    @Test func betweenTwoServers() async throws {
        try await withServers { bench, a, b in
            var elements: [ElementSpec] = []
            for index in 0..<40 {
                try bench.write("\(bench.a)/f\(index)", "content of \(index)")
                elements.append(
                    ElementSpec(id: "\(index)", source: "\(bench.a)/f\(index)", destination: "\(bench.b)/f\(index)"))
            }
            let large = Data((0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 11) })
            try bench.write(bench.a + "/large", large)
            elements.append(ElementSpec(id: "large", source: bench.a + "/large", destination: bench.b + "/large"))
            let outcome = try await bench.run(
                bench.batch(.copy, a, to: b, options: ["streams": 4, "verify": "checksum"]), elements)
            #expect(outcome.results.count == elements.count)
            for (id, result) in outcome.results { #expect(result.isOK, "\(id): \(result.reason ?? "")") }
            for index in 0..<40 { #expect(bench.read("\(bench.b)/f\(index)") == "content of \(index)") }
            #expect(FileManager.default.contents(atPath: bench.b + "/large") == large)
        }
    }

    @Test func withTheWorker() async throws {
        try await withServers { bench, a, _ in
            try bench.write(bench.folder + "/mine", "mine")
            let put = try await bench.one(bench.batch(.put, a), bench.folder + "/mine", bench.a + "/there").result
            #expect(put.isOK, "\(put.reason ?? "")")
            let get = try await bench.one(bench.batch(.get, a), bench.a + "/there", bench.folder + "/back").result
            #expect(get.isOK && bench.read(bench.folder + "/back") == "mine", "\(get.reason ?? "")")
            let listed = try await bench.one(bench.batch(.list, a), bench.a)
            #expect(listed.outcome.paths == ["\(bench.a)/there": 4], "\(listed.result.reason ?? "")")
        }
    }
}
