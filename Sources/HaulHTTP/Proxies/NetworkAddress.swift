import Foundation

/// A numeric address, IPv4 as the part of IPv6 that stands for it (RFC 4291, 2.5.5.2), so that both forms of one are the same.
struct NetworkAddress: Sendable, Hashable {
    /// 16 bytes.
    let bytes: [UInt8]

    private static let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// - Returns: nil for what is no numeric address: a name, a zone, leading zeros.
    init?(_ text: some StringProtocol) {
        // The library reads up to a NUL.
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, String(text), &buffer) == 1 {
            bytes = Self.mapped + buffer.prefix(4)
        } else if inet_pton(AF_INET6, String(text), &buffer) == 1 {
            bytes = buffer
        } else {
            return nil
        }
    }

    var isIPv4: Bool { bytes.starts(with: Self.mapped) }

    /// The usual form: each address has one.
    var text: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let (family, start) = isIPv4 ? (AF_INET, 12) : (AF_INET6, 0)
        let written = bytes[start...].withUnsafeBytes {
            inet_ntop(family, $0.baseAddress, &text, socklen_t(INET6_ADDRSTRLEN))
        }
        guard written != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or one alone.
struct AddressRange: Sendable, Hashable {
    private let first: [UInt8]
    private let bits: Int

    /// - Returns: nil for what is none, or has bits set behind those that count: something else was meant then.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = NetworkAddress(parts[0]) else { return nil }
        let width = address.isIPv4 && !parts[0].contains(":") ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(parts[1]), number <= width
            else { return nil }
            length = number
        }
        first = address.bytes
        bits = 128 - width + length
        guard Self.masked(first, bits) == first else { return nil }
    }

    func contains(_ address: NetworkAddress) -> Bool { Self.masked(address.bytes, bits) == first }

    private static func masked(_ bytes: [UInt8], _ bits: Int) -> [UInt8] {
        bytes.enumerated().map { place, byte in
            let kept = min(8, max(0, bits - 8 * place))
            return byte & ~UInt8(truncatingIfNeeded: 0xFF >> kept)
        }
    }
}
