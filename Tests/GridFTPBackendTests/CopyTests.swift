import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CopyTests {
    /// With GSI, the two sites have proxies of two users.
    @Test(arguments: Kind.allCases) func copiesManyFiles(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            var elements: [ElementSpec] = []
            for index in 0..<300 {
                let name = "d\(index % 7)/f \(index)"
                try bench.write("\(bench.a)/\(name)", "content of \(index)" + String(repeating: "x", count: index * 31))
                elements.append(
                    ElementSpec(id: "\(index)", source: "\(bench.a)/\(name)", destination: "\(bench.b)/\(name)"))
            }
            try bench.write(bench.a + "/none", "")
            elements.append(ElementSpec(id: "none", source: bench.a + "/none", destination: bench.b + "/none"))
            let outcome = try await bench.run(bench.batch(.copy, servers.a, to: servers.b), elements)
            for (id, result) in outcome.results { #expect(result.isOK, "\(id): \(result.reason ?? "")") }
            #expect(outcome.results.count == elements.count)
            for element in elements {
                #expect(bench.read(element.source) == bench.read(element.destination ?? ""))
            }
            for folder in 0..<7 { #expect(!bench.names("\(bench.b)/d\(folder)").contains { $0.hasPrefix(".") }) }
        }
    }

    /// Of more than one piece, over several connections, which the two servers open to each other: with GSI each is told whose
    /// proxy to expect there.
    @Test(arguments: Kind.allCases) func aLargeFileOverSeveralConnections(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            let block = Data((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) })
            try bench.write(bench.a + "/large", "")
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.a + "/large"))
            for index in 0..<200 {
                try handle.write(contentsOf: block)
                try handle.write(contentsOf: Data("\(index)".utf8))
            }
            try handle.close()
            let options: [String: JSONValue] = ["streams": 4, "verify": "checksum"]
            let (result, outcome) = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b, options: options), bench.a + "/large",
                bench.b + "/large")
            #expect(result.isOK && result.checksum != nil, "\(result.reason ?? "")")
            #expect(!outcome.logs.contains { $0.contains("through the worker") }, "\(outcome.logs)")
            #expect(FileManager.default.contentsEqual(atPath: bench.a + "/large", andPath: bench.b + "/large"))
        }
    }

    /// The files behind one that fails must have their own content, and the one that fails none.
    @Test(arguments: Kind.allCases) func aFailureBetweenOthersSwapsNothing(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            var elements: [ElementSpec] = []
            for index in 0..<60 {
                try bench.write("\(bench.a)/f\(index)", "number \(index + 100)")
                elements.append(
                    ElementSpec(id: "\(index)", source: "\(bench.a)/f\(index)", destination: "\(bench.b)/f\(index)"))
            }
            // The part's name is a directory's: found out by the command that writes it, in the middle of the others.
            for index in stride(from: 5, to: 60, by: 20) {
                let part = try Self.part(of: elements[index])
                try FileManager.default.createDirectory(
                    atPath: "\(bench.b)/\(part)", withIntermediateDirectories: false)
            }
            let outcome = try await bench.run(bench.batch(.copy, servers.a, to: servers.b), elements)
            for index in 0..<60 {
                let result = try #require(outcome.results["\(index)"])
                if index % 20 == 5 {
                    #expect(!result.isOK)
                    #expect(bench.read("\(bench.b)/f\(index)") == nil)
                } else {
                    #expect(result.isOK, "\(index): \(result.reason ?? "")")
                    #expect(bench.read("\(bench.b)/f\(index)") == "number \(index + 100)")
                }
            }
        }
    }

    /// What stands under a part's name, shorter, longer or as long, ends up in no file.
    @Test func whatEarlierAttemptsLeft() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            var elements: [ElementSpec] = []
            for index in 0..<30 {
                try bench.write("\(bench.a)/f\(index)", "number \(index + 100)")
                let element = ElementSpec(
                    id: "\(index)", source: "\(bench.a)/f\(index)", destination: "\(bench.b)/f\(index)", attempt: 2)
                try bench.write("\(bench.b)/\(try Self.part(of: element))", String(repeating: "x", count: index))
                elements.append(element)
            }
            let outcome = try await bench.run(bench.batch(.copy, servers.a, to: servers.b), elements)
            for index in 0..<30 {
                let result = try #require(outcome.results["\(index)"])
                #expect(result.isOK, "\(index): \(result.reason ?? "")")
                #expect(bench.read("\(bench.b)/f\(index)") == "number \(index + 100)")
            }
            #expect(bench.names(bench.b).count == 30)
        }
    }

    private static func part(of element: ElementSpec) throws -> String {
        var status = stat()
        stat(element.source, &status)
        return try PartFile.name(
            seed: element.partSeed, size: Int(status.st_size), modified: Int(status.st_mtim.tv_sec))
    }

    @Test(arguments: Kind.allCases) func keepsTimesAndModes(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/f", "content")
            chmod(bench.a + "/f", 0o640)
            utimes(
                bench.a + "/f",
                [timeval(tv_sec: 1_600_000_000, tv_usec: 0), timeval(tv_sec: 1_600_000_000, tv_usec: 0)])
            let (result, _) = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b), bench.a + "/f", bench.b + "/f")
            #expect(result.reason == nil)
            var status = stat()
            #expect(stat(bench.b + "/f", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o640)
            #expect(status.st_mtim.tv_sec == 1_600_000_000)
        }
    }

    @Test(arguments: ["md5", "adler32", "sha256", "sha1", "sha512"]) func checksums(_ algorithm: String) async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/f", Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }))
            let options: [String: JSONValue] = ["verify": "checksum", "checksum_algorithm": .string(algorithm)]
            let copied = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b, options: options), bench.a + "/f", bench.b + "/f")
            #expect(copied.result.reason == nil)
            #expect(copied.result.checksum?.hasPrefix(algorithm + ":") == true)
            // Computed here of what was read, and compared with what the server says.
            let put = try await bench.one(
                bench.batch(.put, servers.b, options: options), bench.a + "/f", bench.b + "/put")
            #expect(put.result.reason == nil)
            #expect(put.result.checksum == copied.result.checksum)
        }
    }

    @Test(arguments: Kind.allCases) func getsAndPuts(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            for (name, size) in [("small", 1000), ("none", 0), ("large", 9 << 20)] {
                let content = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) })
                try bench.write(bench.a + "/" + name, content)
                let local = bench.folder + "/local/sub/\(name)"
                let options: [String: JSONValue] = ["verify": "checksum"]
                let got = try await bench.one(
                    bench.batch(.get, servers.a, options: options), bench.a + "/" + name, local)
                #expect(got.result.reason == nil)
                #expect(FileManager.default.contents(atPath: local) == content)
                let put = try await bench.one(
                    bench.batch(.put, servers.a, options: options), local, bench.b + "/up/\(name)")
                #expect(put.result.reason == nil)
                #expect(FileManager.default.contents(atPath: bench.b + "/up/\(name)") == content)
            }
            #expect(bench.names(bench.folder + "/local/sub") == ["large", "none", "small"])
            #expect(bench.names(bench.b + "/up") == ["large", "none", "small"])
        }
    }

    @Test(arguments: Kind.allCases) func cancelLeavesNothing(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            // Sparse: nothing to write, much to send.
            try bench.write(bench.a + "/huge", "")
            truncate(bench.a + "/huge", 1 << 36)
            let began = Mutex<ContinuousClock.Instant?>(nil)
            let outcome = try await bench.run(
                bench.batch(.copy, servers.a, to: servers.b),
                [ElementSpec(id: "1", source: bench.a + "/huge", destination: bench.b + "/huge")]
            ) { event, run in
                guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
                began.withLock { $0 = $0 ?? .now }
                await run?.cancel("1")
            }
            #expect(outcome.results["1"]?.errorClass == .interrupted)
            let start = try #require(began.withLock { $0 })
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(bench.names(bench.b) == [])
        }
    }

    /// A neighbour's cancel costs nobody else anything.
    @Test func cancelOfOneOfManySmallOnes() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            var elements: [ElementSpec] = []
            for index in 0..<200 {
                try bench.write("\(bench.a)/f\(index)", Data(repeating: UInt8(index), count: 200_000))
                elements.append(
                    ElementSpec(id: "\(index)", source: "\(bench.a)/f\(index)", destination: "\(bench.b)/f\(index)"))
            }
            let outcome = try await bench.run(bench.batch(.copy, servers.a, to: servers.b), elements) { event, run in
                guard case .result(let id, _) = event, let number = Int(id), number % 10 == 0 else { return }
                await run?.cancel("\(number + 60)")
            }
            #expect(outcome.results.count == 200)
            for (id, result) in outcome.results {
                let content = FileManager.default.contents(atPath: "\(bench.b)/f\(id)")
                if result.isOK {
                    #expect(content == Data(repeating: UInt8(id) ?? 0, count: 200_000))
                } else {
                    #expect(result.errorClass == .interrupted, "\(id): \(result.reason ?? "")")
                    #expect(content == nil)
                }
            }
            #expect(!bench.names(bench.b).contains { $0.hasPrefix(".") })
        }
    }
}
