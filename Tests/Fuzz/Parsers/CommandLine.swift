import Foundation
import HaulAuth
import HaulHTTP
import HaulModel
import HaulStore
import Synchronization

@testable import HaulCLI
@testable import HaulWorker

extension Parser {
    /// What `haul` reads, and how places are written.
    static let commandLine = [Parser(name: "items", feed: items), Parser(name: "place", feed: place)]

    /// Streams of documents: in whatever pieces they come, they are the same.
    private static func items(_ data: Data) throws {
        let bytes = Array(data)
        let whole = take([bytes])
        let pieces = take(bytes.map { [$0] })
        try hold(whole == pieces, "\(whole) comes in pieces as \(pieces)")
    }

    private static func take(_ pieces: [[UInt8]]) -> [[UInt8]] {
        let found = Found()
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            let reader = ItemReader { item in found.items.withLock { $0.append(item) } }
            do {
                for piece in pieces { try await reader.take(piece) }
                try await reader.finish()
            } catch { found.items.withLock { $0.append(Array("broken".utf8)) } }
            done.signal()
        }
        done.wait()
        return found.items.withLock(\.self)
    }

    private final class Found: Sendable {
        let items = Mutex<[[UInt8]]>([])
    }

    /// Where things are: endpoints, databases, issuers, sites and paths.
    private static func place(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        if Site.isEndpoint(text) {
            let (host, port) = Site.hostAndPort(text)
            try hold(!host.isEmpty && port.map { Int($0) != nil } ?? true, "\(text) is \(host) and \(port ?? "-")")
            if let hosts = HostList([text]) { try hold(hosts.admits(text), "\(text) is another host") }
        }
        if case .postgresql(let url) = StoreLocation(text) {
            let told = StoreLocation(url).description
            try hold(!told.contains("?"), "\(told) tells more than where it is")
        }
        if Issuer.isFetchable(text), text.hasPrefix("http://"), let host = URLComponents(string: text)?.host {
            try hold(["127.0.0.1", "localhost", "[::1]", "::1"].contains(host), "keys are fetched in clear of \(host)")
        }
        if let place = try? Place(text) {
            try hold("\(place.site):\(place.path)" == text, "\(text) is \(place)")
            try hold(TransferPath.problem(place.path) == nil, "\(place.path) is let through")
        }
        guard TransferPath.problem(text) == nil else { return }
        let path = TransferPath.normalized(text)
        try hold(TransferPath.same(TransferPath.normalized(path), path), "\(path) has two spellings")
        let names = path.utf8.split(separator: UInt8(ascii: "/"))
        try hold(!names.contains { $0.elementsEqual("..".utf8) }, "\(text) leads out of \(path)")
    }
}
