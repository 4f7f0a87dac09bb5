import HaulModel
import HaulProtocol

/// What the end of a `haul-gsi` means: its exit code says at which step, its text (the library's) why.
enum GSIComplaint {
    /// Words of the Grid Community Toolkit and OpenSSL, in any case; the first row that fits counts.
    static let rows: [(words: String, errorClass: ErrorClass)] = [
        ("the proxy has expired", .credentialExpired),
        ("credential has expired", .credentialExpired),
        ("certificate has expired", .credentialExpired),
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
        let text = EntryName.escaped(Array(said.utf8.prefix { $0 != UInt8(ascii: "\n") }))
        guard let step = steps[status.code] else {
            let why = text.isEmpty ? "\(status)" : text
            return BackendFailure(.backend, "haul-gsi: \(why)", returncode: status.code)
        }
        let lower = said.lowercased()
        let known = step == .connect ? nil : rows.first { lower.contains($0.words) }?.errorClass
        return BackendFailure(known ?? step, text, returncode: status.code)
    }
}
