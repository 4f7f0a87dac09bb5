import Foundation
import HaulHTTP
import Support
import Testing

/// Requests and answers, byte by byte, in the files of a folder in the order of their names: a request line (method, path,
/// the body's type if there is one), the body or an empty line, the answer's status, type and, where it has one, its
/// Location, then its body. Times stand as `TIME`, tokens as `TOKEN`, the server as `SERVER`.
///
/// `HAUL_RECORD_GOLDEN=1` writes the answers of those that differ, and still fails.
struct GoldenFiles {
    let folder: String
    let least: Int

    /// - Parameter client: who asks, by the file's name.
    func check(_ server: LiveServer, client: (String) -> FaceClient) async throws {
        let isRecorded = ProcessInfo.processInfo.environment["HAUL_RECORD_GOLDEN"] == "1"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count >= least)
        for name in names {
            let path = "\(folder)/\(name)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            try #require(lines.count == 3, "\(name)")
            let head = lines[0].split(separator: " ").map(String.init)
            let answer = try await client(name).send(
                head[0], head[1], Array(lines[1].utf8), type: head.count > 2 ? head[2] : nil)
            let facts = ["\(answer.status)", answer.headers["Content-Type"], answer.headers["Location"]]
            let said = facts.compactMap(\.self).joined(separator: " ") + "\n" + answer.text
            let plain = said.replacing(#/\d{4}-\d\d-\d\dT[\d:.]+Z/#, with: "TIME")
                .replacing(#/haul_[A-Za-z0-9_-]{20,}/#, with: "TOKEN").replacing(server.url, with: "SERVER")
            // A file ends with a line's end, which an answer need not have.
            let isSame = lines[2] == plain || lines[2] == plain + "\n"
            #expect(isSame, "\(name): \(plain)")
            if !isSame, isRecorded {
                try "\(lines[0])\n\(lines[1])\n\(plain)\(plain.hasSuffix("\n") ? "" : "\n")"
                    .write(toFile: path, atomically: true, encoding: .utf8)
            }
        }
    }
}
