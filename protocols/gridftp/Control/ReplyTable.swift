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
        // What ends the connection says nothing of a file, whatever its words: with GSI it may come unprotected.
        let isEnd = reply.code == 421
        if !isEnd, let number = number(reply), let errorClass = numbers[number] { return errorClass }
        let text = ownWords(reply)
        let row = rows.first { (!isEnd || [.busy, .connect].contains($0.errorClass)) && text.contains($0.words) }
        if let row { return row.errorClass }
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

    /// The text in lower case without what was asked for: a user's path means nothing, whatever it says.
    private static func ownWords(_ reply: FTPReply) -> String {
        let paths = reply.paths.map { $0.lowercased() }
        // Names by themselves only where they matter: taking every `a` out would leave no words.
        let names = paths.flatMap { $0.split(separator: "/").map(String.init) }
            .filter { name in rows.contains { name.contains($0.words) } }
        return (paths + names).filter { $0.utf8.count > 1 }.sorted { $0.utf8.count > $1.utf8.count }
            .reduce(reply.text.lowercased()) { $0.replacingOccurrences(of: $1, with: "*", options: .literal) }
    }

    /// It has a line of its own, which is not what was asked for.
    private static func number(_ reply: FTPReply) -> Int? {
        let lead = "GridFTP-Errno: "
        for line in reply.lines {
            let text = String(decoding: line.dropFirst(4), as: UTF8.self).trimmed
            guard text.hasPrefix(lead), let number = Int(text.dropFirst(lead.count)) else { continue }
            if !reply.paths.contains(where: { $0.hasSuffix("/" + text) }) { return number }
        }
        return nil
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest.drop { $0.isWhitespace })
    }
}
