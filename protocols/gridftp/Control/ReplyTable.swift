import Foundation
import HaulModel
import HaulProtocol

/// What a server's negative reply means. GridFTP says most of it in text: globus-gridftp-server gives the system's error
/// number (`GridFTP-Errno: 2`) or only its words ("No such file or directory"), its login and its data connections
/// words of their own. The first row that fits counts.
enum ReplyTable {
    /// Words that a reply holds, in any case, and the class that they mean.
    static let rows: [(words: String, errorClass: ErrorClass)] = [
        ("certificate has expired", .credentialExpired),
        ("credential has expired", .credentialExpired),
        ("credentials have expired", .credentialExpired),
        ("proxy has expired", .credentialExpired),
        ("login incorrect", .auth),
        ("authorization denied", .auth),
        ("authentication failed", .auth),
        ("gridmap", .auth),
        ("gss failure", .auth),
        ("please login", .auth),
        ("must perform gssapi", .auth),
        ("not logged in", .auth),
        ("no such file or directory", .notFound),
        ("path_not_found", .notFound),
        ("not a directory", .notFound),
        ("permission denied", .permission),
        ("permission_denied", .permission),
        ("operation not permitted", .permission),
        ("path not allowed", .permission),
        ("read-only file system", .permission),
        ("access denied", .permission),
        ("no space left", .noSpace),
        ("disk quota exceeded", .noSpace),
        ("quota exceeded", .noSpace),
        ("directory not empty", .notEmpty),
        ("file exists", .exists),
        ("path_exists", .exists),
        ("is a directory", .invalid),
        ("file name too long", .invalid),
        ("too many levels of symbolic links", .invalid),
        ("command not supported", .invalid),
        ("not recognized", .invalid),
        ("text file busy", .busy),
        ("device or resource busy", .busy),
        ("too many open files", .busy),
        ("too many connections", .busy),
        ("connection limit", .busy),
        ("max connections", .busy),
        ("idle timeout", .connect),
        ("connection refused", .connect),
        ("connection timed out", .connect),
        ("connection reset", .connect),
        ("no route to host", .connect),
        ("broken pipe", .connect),
        ("end-of-file was reached", .connect),
        ("an end of file occurred", .connect),
        ("operation was canceled", .interrupted),
        ("aborted", .interrupted),
    ]

    /// By the system's error number on Linux, where the server gives it.
    static let numbers: [Int: ErrorClass] = [
        1: .permission, 2: .notFound, 11: .busy, 13: .permission, 16: .busy, 17: .exists, 20: .notFound, 21: .invalid,
        22: .invalid, 24: .busy, 26: .busy, 27: .noSpace, 28: .noSpace, 30: .permission, 36: .invalid, 39: .notEmpty,
        40: .invalid, 122: .noSpace,
    ]

    /// - Parameters:
    ///   - what: What was asked for, for the reason: `MKD /a/b`.
    ///   - usual: The class where nothing fits.
    static func failure(_ reply: FTPReply, _ what: String, usual: ErrorClass = .unknown) -> BackendFailure {
        BackendFailure(errorClass(reply) ?? usual, "\(what): \(summary(reply))", returncode: reply.code)
    }

    static func errorClass(_ reply: FTPReply) -> ErrorClass? {
        let text = reply.text.lowercased()
        if let number = number(text), let errorClass = numbers[number] { return errorClass }
        if let row = rows.first(where: { text.contains($0.words) }) { return row.errorClass }
        switch reply.code {
        case 421, 425, 426: return .connect
        case 530, 534, 535: return .auth
        case 452, 552: return .noSpace
        case 500, 502, 504: return nil
        default: return nil
        }
    }

    /// One line of what matters, without codes and repetitions.
    static func summary(_ reply: FTPReply) -> String {
        var parts: [String] = []
        for line in reply.lines {
            var text = EntryName.escaped(line)
            if text.hasPrefix("\(reply.code)") { text = String(text.dropFirst(4)) }
            text = text.trimmed
            for lead in ["GridFTP-Reason: ", "GridFTP-Error-String: "] where text.hasPrefix(lead) {
                text = String(text.dropFirst(lead.count))
            }
            let isNoise =
                text.isEmpty || text == "End." || text.hasPrefix("GlobusError: v=1") || text.hasPrefix("GridFTP-Errno:")
            if !isNoise, !parts.contains(text) { parts.append(text) }
        }
        let said = parts.isEmpty ? reply.text : parts.joined(separator: ": ")
        return "\(reply.code) \(said.prefix(600))"
    }

    private static func number(_ text: String) -> Int? {
        guard let range = text.range(of: "gridftp-errno: ") else { return nil }
        return Int(text[range.upperBound...].prefix { $0.isNumber })
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest.drop { $0.isWhitespace })
    }
}
