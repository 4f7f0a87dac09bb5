import Foundation
import HaulModel
import HaulProtocol

/// A directory that is read, with one READDIR on its way ahead.
struct RemoteDirectory {
    private let client: SFTPClient
    private let handle: Data
    private var ahead: SFTPTicket?

    init(_ path: String, at place: RemotePlace) async throws {
        client = place.client
        do {
            handle = try await client.handle(.opendir(path))
        } catch let status as SFTPStatus {
            throw status.failure("cannot read the directory \(path)")
        }
        ahead = try await client.send(.readdir(handle))
    }

    /// The next names, without `.` and `..`; nil at the end.
    mutating func next() async throws -> [SFTPReply.Name]? {
        guard let ticket = ahead else { return nil }
        ahead = nil
        guard let names = try await client.names(ticket) else { return nil }
        ahead = try await client.send(.readdir(handle))
        return names.filter { $0.bytes != Data(".".utf8) && $0.bytes != Data("..".utf8) }
    }

    mutating func close() {
        if let ahead { client.forget(ahead) }
        ahead = nil
        client.closeLater(handle)
    }

    /// Whether there is anything in a directory.
    static func hasEntries(_ path: String, at place: RemotePlace) async throws -> Bool {
        var directory = try await RemoteDirectory(path, at: place)
        defer { directory.close() }
        while let names = try await directory.next() {
            if !names.isEmpty { return true }
        }
        return false
    }
}
