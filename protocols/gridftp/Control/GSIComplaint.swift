import HaulModel
import HaulProtocol

/// What the end of a `haul-gsi` means: its exit code says at which step, its text (the library's) why.
enum GSIComplaint {
    /// Words of the Grid Community Toolkit and OpenSSL, in any case; the first row that fits counts.
    static let rows: [(words: String, errorClass: ErrorClass)] = [
        ("the proxy has expired", .credentialExpired),
        ("credential has expired", .credentialExpired),
        ("certificate has expired", .credentialExpired),
        ("minutes ago", .credentialExpired),
        ("proxy cannot be used", .auth),
        ("can't get the local trusted ca certificate", .auth),
        ("untrusted", .auth),
        ("certificate verify failed", .auth),
        ("could not verify credential", .auth),
        ("invalid crl", .auth),
        ("the server refuses the proxy", .auth),
        ("the name of the remote entity", .auth),
        ("auth gssapi", .auth),
    ]

    /// As in `Sources/haul-gsi/gsi.h`.
    private static let steps: [Int: ErrorClass] = [3: .connect, 4: .auth, 5: .auth, 6: .connect]

    static func failure(_ status: ExitStatus, _ said: String) -> BackendFailure {
        let text = shown(said)
        guard let step = steps[status.code] else {
            let why = text.isEmpty ? "\(status)" : text
            return BackendFailure(.backend, "haul-gsi: \(why)", returncode: status.code)
        }
        let lower = said.lowercased()
        let known = step == .connect ? nil : rows.first { lower.contains($0.words) }?.errorClass
        return BackendFailure(known ?? step, text, returncode: status.code)
    }

    /// The first line, without the codes of a server's reply.
    private static func shown(_ said: String) -> String {
        let line = said.prefix { !$0.isNewline }
        let words = line.split(separator: " ").map { word in
            let isCode = word.utf8.dropFirst(3).first == UInt8(ascii: "-") && Int(word.prefix(3)) != nil
            return isCode ? word.dropFirst(4) : word
        }
        let text = words.filter { !$0.isEmpty }.joined(separator: " ")
        return String(
            String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(900)))
    }
}
