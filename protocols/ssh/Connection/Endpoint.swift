import HaulModel
import HaulProtocol

/// Where an SSH server listens: `host:port`, `host`, or `[address]:port`.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    var host: String
    var port: Int

    /// - Throws: ``BackendFailure`` (`invalid`) for what ssh could take for an option, a pattern or two names.
    init(_ text: String) throws {
        let parts: (host: Substring, port: Substring)
        if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw Self.refused(text) }
            parts = (text[text.index(after: text.startIndex)..<end], after.isEmpty ? "22" : after.dropFirst())
        } else if let colon = text.lastIndex(of: ":") {
            parts = (text[..<colon], text[text.index(after: colon)...])
            if parts.host.contains(":") { throw Self.refused(text) }
        } else {
            parts = (text[...], "22")
        }
        guard let port = Int(parts.port), (1...65535).contains(port), parts.port.utf8.allSatisfy({ $0 >= 0x30 }),
            !parts.host.isEmpty, parts.host.utf8.count <= 255, !parts.host.hasPrefix("-"),
            parts.host.utf8.allSatisfy(Self.isAllowed)
        else { throw Self.refused(text) }
        host = String(parts.host)
        self.port = port
    }

    /// As `known_hosts` names the server: other ports than 22 in brackets.
    var knownHost: String { port == 22 ? host : "[\(host)]:\(port)" }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Letters, digits, and what names and addresses (with a zone) have; no wildcard of `known_hosts`.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func refused(_ text: String) -> BackendFailure {
        BackendFailure(
            .invalid, "\"\(text.prefix(300))\" is no endpoint for ssh; expected host:port or [address]:port")
    }
}
