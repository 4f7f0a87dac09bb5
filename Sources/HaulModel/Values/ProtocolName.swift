/// The name of a protocol, upper case as users see it (`GRIDFTP`, `SSH`, `HTTP` ...); its plug-in's folder has the same
/// name in lower case.
public struct ProtocolName: Sendable, Hashable, CustomStringConvertible {
    /// Upper case.
    public let name: String

    public static let gridftp = ProtocolName(known: "GRIDFTP")
    public static let ssh = ProtocolName(known: "SSH")
    public static let dummy = ProtocolName(known: "DUMMY")

    /// The three that the documented system has integers for, in the order of those.
    public static let documented: [ProtocolName] = [.gridftp, .ssh, .dummy]

    private init(known name: String) { self.name = name }

    /// A protocol given as text: one of the documented integers, or a name in any case of 1 to 32 letters, digits,
    /// `-` and `_`, of which the first is a letter.
    public init?(text: String) {
        if let number = Int(text) {
            guard Self.documented.indices.contains(number) else { return nil }
            self = Self.documented[number]
            return
        }
        let bytes = Array(text.utf8)
        guard (1...32).contains(bytes.count), let first = bytes.first, Self.isLetter(first),
            bytes.allSatisfy({ Self.isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F })
        else { return nil }
        name = text.uppercased()
    }

    /// A protocol given as integer, numeric string, or name in any case.
    public init?(_ value: JSONValue) {
        switch value {
        case .int(let number): self.init(text: String(number))
        case .string(let text): self.init(text: text)
        default: return nil
        }
    }

    /// The folder of its plug-in below `protocols/`.
    public var folder: String { name.lowercased() }

    /// The form that workers get: the documented integer, or the name where there is none.
    public var workerValue: JSONValue {
        Self.documented.firstIndex(of: self).map { .int($0) } ?? .string(name)
    }

    public var description: String { name }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
