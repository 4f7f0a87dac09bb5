import Foundation
import HaulModel
import HaulProtocol

/// Where a server may send data connections: what it answers to PASV is an address that it picks, and one that lies would
/// have this machine, or another server, speak with whatever listens elsewhere.
///
/// Without a proxy nobody proves anything, so the server's own address counts and of its answer the port alone. With one
/// the data connection is authenticated (DCAU), and a striped server's nodes are other machines: anything but this
/// machine and its neighbours on the wire, unless the server is there, too; where the worker's configuration names hosts,
/// those alone. The site option `data_nodes`, which operators set, names others.
struct DataNodes: Sendable, Equatable {
    /// Addresses and networks that may be sent to, besides the server's own.
    private let networks: [Network]
    /// Where this worker may go; nil is anywhere.
    private let hosts: HostList?

    private struct Network: Sendable, Equatable {
        let address: UInt32
        let bits: Int

        func holds(_ other: UInt32) -> Bool { bits == 0 || (address ^ other) >> UInt32(32 - bits) == 0 }
    }

    /// - Parameter option: `192.0.2.7`, or `192.0.2.0/24`.
    init(_ option: [String], hosts: HostList? = nil) throws {
        self.hosts = hosts
        networks = try option.map { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            let bits = parts.count == 2 ? Int(parts[1]) : 32
            guard parts.count <= 2, let first = parts.first, let address = Self.number(first), let bits,
                (0...32).contains(bits)
            else {
                throw BackendFailure(
                    .invalid, "site option data_nodes: \(text) is no IPv4 address or network (192.0.2.0/24)")
            }
            return Network(address: address, bits: bits)
        }
    }

    /// Where a data connection goes.
    /// - Parameters:
    ///   - offered: What the server says.
    ///   - peer: The server's own address, that of the control connection.
    ///   - proves: The data connection is authenticated.
    /// - Throws: ``BackendFailure`` for a place that the server has no business to name (`invalid`), or that this worker may not
    ///   be made to talk to (`permission`).
    func address(_ offered: Address, peer: String?, proves: Bool) throws -> Address {
        if offered.host == peer { return offered }
        if let node = Self.number(offered.host) {
            if networks.contains(where: { $0.holds(node) }) { return offered }
            if proves {
                let isNear = Self.near.contains { $0.holds(node) }
                let peerIsNear = peer.flatMap(Self.number).map { number in Self.near.contains { $0.holds(number) } }
                if !isNear || peerIsNear == true {
                    if let problem = hosts?.problem("\(offered.host):\(offered.port)") {
                        throw BackendFailure(
                            .permission, "\(problem), and \(peer ?? "the server") names it for a data connection")
                    }
                    return offered
                }
                throw BackendFailure(
                    .invalid,
                    "\(peer ?? "the server") names \(offered) for a data connection, which is no place of its own: "
                        + "if it is, name it in the site option data_nodes")
            }
        }
        guard let peer else { throw BackendFailure(.backend, "the server's own address is not known") }
        return Address(host: peer, port: offered.port)
    }

    /// This machine, its neighbours on the wire, many at once, nobody.
    private static let near: [Network] = [
        Network(address: 127 << 24, bits: 8), Network(address: 169 << 24 | 254 << 16, bits: 16),
        Network(address: 0, bits: 8), Network(address: 224 << 24, bits: 3),
    ]

    /// Of an IPv4 address in figures.
    static func number(_ text: String) -> UInt32? {
        let fields = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard fields.count == 4, text.utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) }) else { return nil }
        return fields.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The command that has a server connect there: `PORT 192,0,2,1,4,5`, or `EPRT |2|2001:db8::1|1029|` (RFC 2428).
    /// - Returns: Nil for what is no address in figures.
    static func port(_ address: Address) -> String? {
        if number(address.host) != nil {
            let fields = address.host.split(separator: ".").map(String.init)
            return "PORT " + (fields + ["\(address.port >> 8)", "\(address.port & 255)"]).joined(separator: ",")
        }
        var number = in6_addr()
        guard inet_pton(AF_INET6, address.host, &number) == 1 else { return nil }
        return "EPRT |2|\(address.host)|\(address.port)|"
    }
}
