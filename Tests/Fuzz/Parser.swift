import Foundation
import HaulModel
import HaulProtocol

/// A parser of what comes from outside. It may refuse anything; it may not crash, hang, or contradict itself.
struct Parser: Sendable {
    /// Of `PARSERS=` and of the folder in `Corpus`.
    let name: String
    /// - Throws: ``Contradiction``.
    let feed: @Sendable (Data) throws -> Void

    static let all = [
        documents, configurations, requests, outsiders, wires, gridftp, ssh, http, s3, xrootd, rclone, commandLine,
    ].flatMap(\.self)
}

/// What a parser must not do.
struct Contradiction: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Holds, whatever the bytes are.
func hold(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Contradiction) {
    if !holds { throw Contradiction(otherwise()) }
}

/// An entry that a backend made of a server's answer: it reaches the server as it is.
func holdEntry(_ entry: ListingEntry) throws {
    try hold(entry.size >= 0, "\(entry) has less than nothing")
    try hold((0...0o177777).contains(entry.mode), "\(entry) has a mode that no file has")
    let line = BackendLine.entries(id: "1", directory: "/d", [entry])
    try hold(try reread(line.line()) == line, "\(entry) is read as another")
}

/// A line of the wire, with its end.
func reread(_ line: Data) throws -> BackendLine {
    do { return try BackendLine(line: line.dropLast()) } catch {
        throw Contradiction("\(String(decoding: line, as: UTF8.self)) is not read: it \(error)")
    }
}

/// A failure as a user may be told it: not for ever, and in one line.
func holdReason(_ failure: BackendFailure) throws {
    try hold(failure.reason.utf8.count < 8192, "a reason of \(failure.reason.utf8.count) bytes")
}
