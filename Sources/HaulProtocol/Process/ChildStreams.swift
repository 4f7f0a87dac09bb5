import CSpawn
import Foundation

/// The descriptors of a child's three streams while it is being started: theirs to close here, ours to keep.
struct ChildStreams {
    private(set) var input: Int32?
    private(set) var output: Int32?
    private(set) var errors: Int32?
    private var theirs: [Int32] = [-1, -1, -1]
    private var opened: [Int32] = []

    init(_ command: Command) throws {
        do {
            input = try prepare(0, command.input)
            output = try prepare(1, command.output)
            errors = try prepare(2, command.errors)
        } catch {
            closeTheirs()
            closeOurs()
            throw error
        }
    }

    func spawn(_ command: Command) -> haul_spawn_result {
        Self.withStrings([command.executable] + command.arguments) { arguments in
            Self.withStrings(command.environment.map { "\($0.key)=\($0.value)" }) { environment in
                command.executable.withCString { path in
                    Self.withOptional(command.directory) { directory in
                        var request = haul_spawn_request(
                            path: path, argv: arguments, envp: environment, directory: directory,
                            descriptors: (theirs[0], theirs[1], theirs[2]), new_group: command.newGroup,
                            dies_with_parent: true)
                        return haul_spawn(&request)
                    }
                }
            }
        }
    }

    mutating func closeTheirs() {
        opened.forEach { close($0) }
        opened = []
    }

    mutating func closeOurs() {
        [input, output, errors].forEach { if let descriptor = $0 { close(descriptor) } }
        (input, output, errors) = (nil, nil, nil)
    }

    /// Sets up one of the child's descriptors; our end of a pipe is returned.
    private mutating func prepare(_ number: Int, _ stream: Command.Stream) throws -> Int32? {
        switch stream {
        case .null: return nil
        case .inherit:
            theirs[number] = Int32(number)
            return nil
        case .append(let path):
            let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            if descriptor < 0 { throw Self.failure("\(path) cannot be opened") }
            opened.append(descriptor)
            theirs[number] = descriptor
            return nil
        case .pipe:
            var ends: [Int32] = [0, 0]
            if haul_pipe(&ends) != 0 { throw Self.failure("no pipe") }
            let (ours, child) = number == 0 ? (ends[1], ends[0]) : (ends[0], ends[1])
            opened.append(child)
            theirs[number] = child
            return ours
        }
    }

    private static func failure(_ what: String) -> SpawnError {
        let code = errno
        return SpawnError(code: code, description: "\(what): \(String(cString: strerror(code)))")
    }

    private static func withOptional<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
        guard let text else { return body(nil) }
        return text.withCString(body)
    }

    private static func withStrings<R>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in
            withExtendedLifetime(buffer) {
                guard let base = buffer.baseAddress else { preconditionFailure("an array that is never empty") }
                return body(base)
            }
        }
    }
}
