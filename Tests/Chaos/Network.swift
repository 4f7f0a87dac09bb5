import Foundation
import HaulProtocol
import Support

/// A network of its own for workers: a namespace, and one link from it to here, which can be cut.
final class Network: Sendable {
    /// How a link is cut.
    enum Cut: CaseIterable, Sendable {
        /// It is down, and both sides can know.
        case down
        /// Nothing comes through any more and nothing says so: connections are left half open.
        case silent
    }

    /// Why there is none.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let name: String
    /// Where a server has to listen so that workers in the namespace reach it.
    let serverAddress: String
    private let workerAddress: String
    private var link: String { name + "b" }
    private static let ip = "/usr/sbin/ip"

    /// What starts a program in the namespace.
    var launcher: [String] { [Self.ip, "netns", "exec", name] }

    /// Makes one.
    ///
    /// - Throws: `Failure` where this process may not: what takes a network is not tested then, and shall not pass.
    static func open() async throws -> Network {
        let network = Network(number: Int(getpid()))
        do {
            try await network.make()
        } catch {
            print("NOT TESTED: a cut network. It takes root, ip(8) and network namespaces: \(error)")
            await network.remove()
            throw error
        }
        return network
    }

    private init(number: Int) {
        name = "haul-\(number % 1_000_000)"
        let prefix = "10.\(200 + number % 50).\(number / 50 % 250)"
        serverAddress = prefix + ".1"
        workerAddress = prefix + ".2"
    }

    private func make() async throws {
        try await run("netns", "add", name)
        try await run("link", "add", name + "a", "type", "veth", "peer", "name", link, "netns", name)
        try await run("addr", "add", serverAddress + "/30", "dev", name + "a")
        try await run("link", "set", name + "a", "up")
        try await inside("addr", "add", workerAddress + "/30", "dev", link)
        try await inside("link", "set", link, "up")
        try await inside("link", "set", "lo", "up")
    }

    func cut(_ how: Cut) async throws {
        switch how {
        case .down: try await inside("link", "set", link, "down")
        case .silent:
            // Frames go to a card that is not there, from either side.
            let nobody = ["lladdr", "02:00:00:00:00:01", "nud", "permanent"]
            try await run(["-n", name, "neigh", "replace", serverAddress, "dev", link] + nobody)
            try await run(["neigh", "replace", workerAddress, "dev", name + "a"] + nobody)
        }
    }

    func mend(_ how: Cut) async throws {
        switch how {
        case .down: try await inside("link", "set", link, "up")
        case .silent:
            try await inside("neigh", "del", serverAddress, "dev", link)
            try await run("neigh", "del", workerAddress, "dev", name + "a")
        }
    }

    /// The link goes with the namespace.
    func remove() async { try? await run("netns", "del", name) }

    private func inside(_ words: String...) async throws { try await run(["-n", name] + words) }
    private func run(_ words: String...) async throws { try await run(words) }

    private func run(_ words: [String]) async throws {
        let child = try await Child.start(Command(executable: Self.ip, arguments: words, output: .null))
        var said = Data()
        while let piece = await child.errors?.read() { said += piece }
        let status = await child.wait()
        guard status.isSuccess else {
            throw Failure(
                description: "ip \(words.joined(separator: " ")) \(status): \(String(decoding: said, as: UTF8.self))")
        }
    }
}
