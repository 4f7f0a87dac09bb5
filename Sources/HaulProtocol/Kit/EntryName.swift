import HaulModel

/// The one rule for the names that a listing meets on a disk or in a server's answer (`protocols/README.md`, "list").
///
/// JSON carries no name that is not UTF-8, and no job names a control character. Shown repaired such a name would mean
/// no file, or another one; left out, a copy of its tree would end well with a file missing. So a LIST that meets one
/// fails and says which.
public enum EntryName {
    /// Bytes of a name that a reason shows.
    private static let longestShown = 300

    /// A directory entry's name as text.
    /// - Parameters:
    ///   - bytes: The name as it stands on the disk; not `.` or `..`, which are no entries.
    ///   - directory: What holds it, for the reason.
    /// - Throws: ``BackendFailure`` (`invalid`) for what no element could carry.
    public static func text(
        _ bytes: some Collection<UInt8>, in directory: String
    ) throws(BackendFailure) -> String {
        let text = String(validating: bytes, as: UTF8.self)
        guard let why = problem(bytes, isText: text != nil) else { return text ?? "" }
        throw BackendFailure(
            .invalid,
            "\(escaped(directory.utf8)) holds the name \"\(escaped(bytes))\", which \(why): "
                + "no job can name it; rename it at the site")
    }

    /// The bytes as a log can show them: what is not UTF-8, and control characters, as `\xe9`.
    public static func escaped(_ bytes: some Collection<UInt8>) -> String {
        var shown = ""
        var rest = Array(bytes.prefix(longestShown))[...]
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = rest.makeIterator()
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                if isControl(scalar) {
                    shown += encoded.map(hexadecimal).joined()
                } else {
                    shown += scalar == "\\" ? "\\\\" : String(scalar)
                }
                rest = rest.dropFirst(encoded.count)
            case .error(let length):
                shown += rest.prefix(length).map(hexadecimal).joined()
                rest = rest.dropFirst(length)
            case .emptyInput: return bytes.count > longestShown ? shown + "..." : shown
            }
        }
    }

    /// What is wrong with an entry's name, or nil.
    static func problem(_ name: String) -> String? { problem(name.utf8, isText: true) }

    private static func problem(_ bytes: some Collection<UInt8>, isText: Bool) -> String? {
        if bytes.isEmpty || bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8)
            || bytes.contains(UInt8(ascii: "/"))
        {
            return "is no name of a directory entry"
        }
        if !isText { return "is not UTF-8" }
        return holdsControl(bytes) ? "holds a control character" : nil
    }

    /// By bytes, of what is UTF-8: below the blank, DEL, and the second block of controls (C2 80 to C2 9F).
    private static func holdsControl(_ bytes: some Collection<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for byte in bytes {
            if byte < 0x20 || byte == 0x7f || previous == 0xc2 && byte < 0xa0 { return true }
            previous = byte
        }
        return false
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
