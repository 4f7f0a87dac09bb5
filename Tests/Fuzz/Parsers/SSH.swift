import Foundation
import HaulModel
import HaulProtocol

@testable import haul_ssh

extension Parser {
    static let ssh = [Parser(name: "sftp", feed: sftp), Parser(name: "ssh", feed: complaint)]

    /// Packets of SFTP servers, one as it is and several in a stream.
    private static func sftp(_ data: Data) throws {
        try packet(data)
        _ = try? SFTPReply.decodeHello(data)
        if let limits = try? SFTPLimits(data) {
            try hold((1 << 10...255 << 10).contains(limits.chunk), "\(limits) moves nothing")
        }
        var (whole, pieces) = (SFTPFraming(), SFTPFraming())
        whole.append(data)
        var (expected, found): ([Data], [Data]) = ([], [])
        while let packet = try? whole.next() { expected.append(packet) }
        for byte in data {
            pieces.append(Data([byte]))
            if let packet = try? pieces.next() { found.append(packet) }
        }
        try hold(found == expected, "\(expected) comes in pieces as \(found)")
        for packet in expected { try Self.packet(packet) }
    }

    private static func packet(_ data: Data) throws {
        guard let (_, reply) = try? SFTPReply.decode(data) else { return }
        switch reply {
        case .names(let names):
            for name in names {
                try attributes(name.attributes)
                guard let text = try? EntryName.text(name.bytes, in: "/d") else { continue }
                try holdEntry(name.attributes.entry(named: text))
            }
        case .attributes(let found): try attributes(found)
        case .status(let status): try holdReason(status.failure("cannot open /a"))
        default: break
        }
    }

    private static func attributes(_ attributes: SFTPAttributes) throws {
        var writer = SFTPFieldWriter()
        attributes.write(to: &writer)
        var reader = SFTPFieldReader(writer.bytes)
        let again = try? SFTPAttributes(&reader)
        try hold(again == attributes, "\(attributes) are read as \(String(describing: again))")
    }

    /// What ssh complains of, and where sites say that servers are.
    private static func complaint(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        let place = try Endpoint("localhost:22")
        try holdReason(SSHComplaint.failure(text, place, returncode: 255, otherwise: "it ended"))
        if let endpoint = try? Endpoint(text) {
            try hold((try? Endpoint(endpoint.description)) == endpoint, "\(text) is read as another")
            try hold(!endpoint.knownHost.contains(where: { $0.isWhitespace || "*?!,".contains($0) }), "\(text) is many")
        }
    }
}
