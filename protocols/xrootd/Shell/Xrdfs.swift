import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// One xrdfs that takes commands on its standard input, one at a time: a millisecond a command on a connection that is
/// there, where a process for each takes thirty.
///
/// It says neither where an answer ends nor whether a command did well, so each is followed by a word that is no
/// command: standard output shows it when its turn comes, standard error complains of it after all complaints before.
actor Xrdfs {
    /// What a command told.
    struct Reply<Value: Sendable>: Sendable {
        var values: [Value]
        /// What it wrote to standard error; empty where it did well.
        var complaint: String
    }

    /// Nothing that xrdfs prints for one line is longer.
    private static let longestLine = 1 << 20
    private static let unknown = Data("[ERROR] Command not found\n".utf8)

    private let child: Child
    private let input: PipeWriter
    private let output: PipeReader
    private let errors: PipeReader
    /// Nobody who names a file knows it.
    private let token = String(UInt64.random(in: 0 ... .max), radix: 36)
    private var count = 0
    private var left = Data()
    private var complaints = Data()

    init(_ executable: String, url: String, environment: [String: String]) async throws {
        let child: Child
        do {
            child = try await Child.start(
                Command(
                    executable: executable, arguments: ["--no-cwd", url], environment: environment, input: .pipe))
        } catch {
            throw BackendFailure(.busy, "\(error)")
        }
        guard let input = child.input, let output = child.output, let errors = child.errors else {
            throw BackendFailure(.backend, "xrdfs was started without its pipes")
        }
        (self.child, self.input, self.output, self.errors) = (child, input, output, errors)
    }

    /// Runs a command.
    /// - Parameter parse: What a line of its answer says; nil is left out.
    /// - Throws: ``BackendFailure`` where xrdfs ends, and what `parse` throws: then this xrdfs is of no more use.
    func run<Value: Sendable>(
        _ command: String, _ parse: @Sendable (Data) throws -> Value?
    ) async throws -> Reply<Value> {
        count += 1
        let mark = "haul-\(token)-\(count)"
        guard await input.write(Data("\(command)\n\(mark)\n".utf8)) else { throw lost() }
        let end = Data("> \(mark)".utf8)
        // The command itself comes first, or as much of it as fits a line of the terminal that is not there.
        _ = try await line()
        var values: [Value] = []
        while true {
            let line = try await line()
            if line.suffix(end.count) == end { break }
            if let value = try parse(line) { values.append(value) }
        }
        return Reply(values: values, complaint: try await complaint())
    }

    /// Ends it at once; what waits for an answer fails.
    nonisolated func end() {
        child.signal(SIGKILL)
        output.close()
        errors.close()
        input.close()
    }

    private func line() async throws -> Data {
        var searched = left.startIndex
        while true {
            if let newline = left[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { left = left[(newline + 1)...] }
                return left[..<newline]
            }
            guard left.count < Self.longestLine else { throw BackendFailure(.backend, "xrdfs printed an endless line") }
            guard let more = await output.read() else { throw lost() }
            let count = left.count
            left = Data(left) + more
            searched = left.startIndex + count
        }
    }

    private func complaint() async throws -> String {
        while true {
            if let end = complaints.range(of: Self.unknown) {
                defer { complaints = Data(complaints[end.upperBound...]) }
                return String(decoding: complaints[..<end.lowerBound], as: UTF8.self)
            }
            guard complaints.count < Self.longestLine, let more = await errors.read() else { throw lost() }
            complaints += more
        }
    }

    private func lost() -> BackendFailure {
        let status = child.status.map { "xrdfs \($0)" } ?? "xrdfs closed its output"
        let said = Complaint.quote(String(decoding: complaints, as: UTF8.self))
        return BackendFailure(
            .interrupted, said.isEmpty ? "\(status) in the middle of a command" : "\(status): \(said)")
    }
}
