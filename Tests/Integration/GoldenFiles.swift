import Foundation
import HaulHTTP
import Support
import Testing

/// Requests and answers, byte by byte, in the files of a folder in the order of their names: a request line (method, path,
/// the body's type if there is one), the body or an empty line, the answer's status, type and, where it has one, its
/// Location, a line each for its other headers that count, then its body. Times stand as `TIME`, tokens as `TOKEN`, the
/// server as `SERVER` and without its scheme as `HOST`, a job's log as `UID`, a page's script as `...`. A body of several
/// parts has `\r\n` for the ends of its lines.
///
/// Each route of the dialect has at least one in which it does what it is for.
///
/// `HAUL_RECORD_GOLDEN=1` writes the answers of those that differ, and still fails.
struct GoldenFiles {
    /// A route below a root of the dialect, with names after colons.
    struct Route {
        var method: String
        var path: String
    }

    /// Headers that say what an answer means, besides those in its first line.
    private static let headers = ["Allow", "WWW-Authenticate", "Set-Cookie"]

    let folder: String
    let least: Int
    /// Where the dialect stands; of two that begin alike, the longer one first.
    let roots: [String]
    let routes: [Route]

    /// - Parameter client: who asks, by the file's name; called before each, in their order.
    func check(_ server: LiveServer, client: (String) async throws -> FaceClient) async throws {
        let isRecorded = ProcessInfo.processInfo.environment["HAUL_RECORD_GOLDEN"] == "1"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count >= least)
        var left = routes
        for name in names {
            let path = "\(folder)/\(name)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            try #require(lines.count == 3, "\(name)")
            let head = lines[0].split(separator: " ").map(String.init)
            if "23".contains(lines[2].prefix(1)) { left.removeAll { isOf($0, method: head[0], target: head[1]) } }
            let type = head.count > 2 ? head[2] : nil
            let body = type?.hasPrefix("multipart/") == true ? lines[1].replacing("\\r\\n", with: "\r\n") : lines[1]
            let answer = try await client(name).send(head[0], head[1], Array(body.utf8), type: type)
            let plain = Self.said(answer, server)
            // A file ends with a line's end, which an answer need not have.
            let isSame = lines[2] == plain || lines[2] == plain + "\n"
            #expect(isSame, "\(name): \(plain)")
            if !isSame, isRecorded {
                try "\(lines[0])\n\(lines[1])\n\(plain)\(plain.hasSuffix("\n") ? "" : "\n")"
                    .write(toFile: path, atomically: true, encoding: .utf8)
            }
        }
        #expect(left.isEmpty, "no file of \(left.map { "\($0.method) \($0.path)" })")
    }

    /// Whether a request goes to a route.
    private func isOf(_ route: Route, method: String, target: String) -> Bool {
        let path = target.prefix { $0 != "?" }
        guard route.method == method, let root = roots.first(where: { path.hasPrefix($0 + "/") }) else { return false }
        let (names, parts) = (route.path.split(separator: "/"), path.dropFirst(root.count).split(separator: "/"))
        return names.count == parts.count && zip(names, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
    }

    private static func said(_ answer: Answer, _ server: LiveServer) -> String {
        let facts = ["\(answer.status)", answer.headers["Content-Type"], answer.headers["Location"]]
        let first = facts.compactMap(\.self).joined(separator: " ")
        let others = headers.flatMap { name in answer.headers.all(name).map { "\(name): \($0)" } }
        let isScript = answer.headers["Content-Type"]?.hasPrefix("text/javascript") == true
        let said = ([first] + others + [isScript ? "..." : last(answer.text)]).joined(separator: "\n")
        return said.replacing(#/\d{4}-\d\d-\d\dT[\d:.]+Z/#, with: "TIME")
            .replacing(#/haul_[A-Za-z0-9_-]{20,}/#, with: "TOKEN").replacing(server.url, with: "SERVER")
            .replacing("127.0.0.1:\(server.port)", with: "HOST")
            .replacing(#/"log_uid":"[^"]+"/#, with: "\"log_uid\":\"UID\"")
    }

    /// Of what Overview streams, the last: how often something is told before depends on when it is looked at.
    private static func last(_ text: String) -> String {
        let event = "{\"n_ahead_in_queue\":"
        guard text.hasPrefix("[" + event), let start = text.ranges(of: event).last?.lowerBound else { return text }
        return "[..., " + text[start...]
    }
}
