import Foundation

/// What a server answers.
enum SFTPReply: Sendable, Hashable {
    struct Name: Sendable, Hashable {
        /// Bytes, as they stand on the disk: not always UTF-8.
        var bytes: Data
        var attributes: SFTPAttributes

        /// The name as text; nil where it is none.
        var text: String? { String(data: bytes, encoding: .utf8) }
    }

    case status(SFTPStatus)
    case handle(Data)
    case data(Data)
    case names([Name])
    case attributes(SFTPAttributes)
    case extended(Data)

    /// Reads a packet (without its length).
    /// - Throws: ``SFTPViolation``.
    static func decode(_ packet: Data) throws -> (id: UInt32, reply: SFTPReply) {
        var reader = SFTPFieldReader(packet)
        let type = try reader.byte()
        let id = try reader.uint32()
        switch type {
        case 101:
            let code = try reader.uint32()
            // Version 3 has a message and its language; some servers leave them out.
            let message = reader.isAtEnd ? Data() : try reader.string()
            return (id, .status(SFTPStatus(code: code, message: String(decoding: message, as: UTF8.self))))
        case 102:
            let handle = try reader.string()
            guard handle.count <= 256 else { throw SFTPViolation("a handle of \(handle.count) bytes") }
            return (id, .handle(Data(handle)))
        case 103: return (id, .data(try reader.string()))
        case 104:
            var names: [Name] = []
            for _ in 0..<(try reader.uint32()) {
                let bytes = Data(try reader.string())
                _ = try reader.string()
                names.append(Name(bytes: bytes, attributes: try SFTPAttributes(&reader)))
            }
            return (id, .names(names))
        case 105: return (id, .attributes(try SFTPAttributes(&reader)))
        case 201: return (id, .extended(reader.remainder()))
        default: throw SFTPViolation("a packet of type \(type)")
        }
    }

    /// Reads VERSION: which extensions the server has.
    static func decodeHello(_ packet: Data) throws -> Set<SFTPExtension> {
        var reader = SFTPFieldReader(packet)
        guard try reader.byte() == 2 else { throw SFTPViolation("the first packet is no VERSION") }
        let version = try reader.uint32()
        guard version == 3 else { throw SFTPViolation("version \(version) of SFTP, not 3") }
        var extensions: Set<SFTPExtension> = []
        while !reader.isAtEnd {
            let name = String(decoding: try reader.string(), as: UTF8.self)
            let version = String(decoding: try reader.string(), as: UTF8.self)
            if let known = SFTPExtension(rawValue: name), known.version == version { extensions.insert(known) }
        }
        return extensions
    }
}
