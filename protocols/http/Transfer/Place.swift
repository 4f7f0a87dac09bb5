import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// One end of a transfer: something on a server, or a file of this machine (`get` and `put`).
enum Place: Sendable {
    case remote(Server, Location)
    case local(LocalFile)

    /// For messages, as the user wrote it.
    var shown: String {
        switch self {
        case .remote(_, let location): location.given
        case .local(let file): file.path
        }
    }

    func facts() async throws -> FileFacts? {
        switch self {
        case .remote(let server, let location): try await server.facts(location)
        case .local(let file): try await file.facts()
        }
    }

    /// Another name in the same directory.
    func sibling(_ name: String) -> Place {
        switch self {
        case .remote(let server, let location): .remote(server, location.sibling(name))
        case .local(let file): .local(file.sibling(name))
        }
    }

    /// Makes the directory that it stands in where that is missing, or fails because of it.
    func prepareParent(make: Bool) async throws {
        switch self {
        case .remote(let server, let location):
            if make { return try await server.makeDirectories(location.parent) }
            if !server.isPlain, try await server.facts(location.parent) == nil {
                throw Self.noParent(location.parent.given)
            }
        case .local(let file): try await file.prepareParent(make: make)
        }
    }

    private static func noParent(_ path: String) -> BackendFailure {
        BackendFailure(.notFound, "\(path), the destination's directory, does not exist (option parents makes it)")
    }

    /// Whether something written here can get its final name afterwards.
    var canRename: Bool {
        switch self {
        case .remote(let server, _): server.canMove && !server.isPlain
        case .local: true
        }
    }

    /// - Returns: False where the server turns out not to rename.
    func rename(to target: Place, replace: Bool) async throws -> Bool {
        switch (self, target) {
        case (.remote(let server, let from), .remote(_, let to)):
            if try await server.move(from, to: to, replace: replace) { return true }
            server.rememberNoMove()
            return false
        case (.local(let from), .local(let to)):
            try await from.rename(to: to, replace: replace)
            return true
        default: throw BackendFailure(.backend, "\(shown) and \(target.shown) are not at one site")
        }
    }

    /// Removes the file; being gone is fine.
    func remove() async throws {
        switch self {
        case .remote(let server, let location):
            do {
                try await server.delete(location)
            } catch let failure as BackendFailure where failure.errorClass == .notFound {}
        case .local(let file): try await file.remove()
        }
    }
}
