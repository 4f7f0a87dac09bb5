import Foundation
import HaulModel
import HaulProtocol

/// A server's refusal: the code of a STATUS reply and its text.
struct SFTPStatus: Error, Hashable, Sendable {
    static let ok: UInt32 = 0
    static let endOfFile: UInt32 = 1
    static let generalFailure: UInt32 = 4

    var code: UInt32
    var message: String

    /// Codes of version 3 (0 to 8) and those of later drafts, which some servers send all the same.
    ///
    /// OpenSSH knows no code for a full disk, an existing name or a full directory: all are 4, "Failure", and whoever
    /// asked has to look at what is there.
    static let classes: [UInt32: ErrorClass] = [
        2: .notFound, 3: .permission, 4: .unknown, 5: .invalid, 6: .connect, 7: .connect, 8: .invalid, 9: .unknown,
        10: .notFound, 11: .exists, 12: .permission, 13: .unknown, 14: .noSpace, 15: .noSpace, 16: .permission,
        17: .busy, 18: .notEmpty, 19: .notFound, 20: .invalid, 21: .invalid,
    ]

    /// What the text of a general failure tells at servers that say more than OpenSSH.
    static let texts: [(text: String, errorClass: ErrorClass)] = [
        ("no space left", .noSpace), ("quota", .noSpace), ("disk full", .noSpace), ("file exists", .exists),
        ("already exists", .exists), ("not empty", .notEmpty), ("permission denied", .permission),
        ("read-only file system", .permission), ("no such file", .notFound), ("busy", .busy),
        ("too many open files", .busy),
    ]

    var errorClass: ErrorClass {
        if code == Self.generalFailure || Self.classes[code] == nil {
            let said = message.lowercased()
            if let row = Self.texts.first(where: { said.contains($0.text) }) { return row.errorClass }
        }
        return Self.classes[code] ?? .unknown
    }

    /// - Parameter attempted: What was tried, as the start of a sentence: `cannot open /a`.
    func failure(_ attempted: String) -> BackendFailure {
        let said = message.isEmpty ? "status \(code)" : String(message.prefix(500))
        return BackendFailure(errorClass, "\(attempted): the server says \"\(said)\"")
    }
}
