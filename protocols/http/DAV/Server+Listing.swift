import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// One thing that a directory holds.
struct Member: Sendable {
    var name: [UInt8]
    var resource: Resource

    var isDirectory: Bool { resource.isCollection }

    /// - Throws: ``BackendFailure`` for a name that no job can name.
    func entry(in directory: String) throws(BackendFailure) -> ListingEntry {
        ListingEntry(
            name: try EntryName.text(name, in: directory), kind: isDirectory ? .directory : .file,
            size: resource.size ?? 0, modified: resource.modified ?? 0)
    }
}

/// What a server answered when it was asked for a directory's children: a file of this machine, until it was read or
/// dropped.
struct Answer: Sendable {
    let location: Location
    let body: String

    var what: String { "PROPFIND \(location.given)" }

    func drop() { unlink(body) }
}

extension Server {
    /// Asks for the children of a directory.
    func ask(_ location: Location) async throws -> Answer {
        let answer = Answer(location: location, body: curl.bodyFile())
        var isGood = false
        defer { if !isGood { answer.drop() } }
        let what = answer.what
        let response = try await curl.metadata.perform(
            request(.propfind(depth: 1), location, directory: true, body: .file(answer.body)))
        if response.status == 405 || response.status == 501 {
            throw BackendFailure(
                .invalid, "\(what): HTTP \(response.status), the server does not speak WebDAV and lists no directory")
        }
        guard response.status == 207, response.exitCode == 0 else { throw response.failure(what) }
        isGood = true
        return answer
    }

    /// The children of a directory, each as the answer is read, once; `found` runs on a thread that may block.
    /// - Throws: ``BackendFailure`` (`invalid`) where the answer names something else: whoever left that out would take a
    ///   directory for empty that is not.
    func children(in answer: Answer, found: @escaping @Sendable (Member) throws -> Void) async throws {
        defer { answer.drop() }
        let names = ChildNames(of: answer.location, at: site)
        try await curl.parse(answer.body, what: answer.what) { resource in
            switch names.child(resource.href) {
            case .itself: break
            case .child(let name): try found(Member(name: name, resource: resource))
            case .elsewhere:
                throw BackendFailure(
                    .invalid,
                    "\(answer.what): the answer names \"\(EntryName.escaped(resource.href.utf8))\", which is not in "
                        + "that directory")
            }
        }
    }

    /// The first children of a directory, at most so many.
    func children(_ location: Location, most: Int) async throws -> [Member] {
        let kept = Kept(most: most)
        try await children(in: try await ask(location)) { kept.add($0) }
        return kept.children
    }
}

/// Tells the children of a directory from whatever else a server may name in its answer.
struct ChildNames: Sendable {
    enum Meaning: Equatable {
        case itself
        case child([UInt8])
        case elsewhere
    }

    /// The directory as the request named it, and as a server behind a proxy that cuts off the prefix names it.
    private let bases: [[[UInt8]]]

    init(of location: Location, at site: Site) {
        bases =
            site.prefix.isRoot
            ? [location.segments] : [site.prefix.segments + location.segments, location.segments]
    }

    /// What an href stands for: a path or a URL, of which only the last segment may differ from the directory's.
    func child(_ href: String) -> Meaning {
        var path = Array(href.utf8)[...]
        if let scheme = href.range(of: "://"), !href[..<scheme.lowerBound].contains("/") {
            let rest = Array(href[scheme.upperBound...].utf8)
            path = rest[(rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex)...]
        }
        let segments = path.split(separator: UInt8(ascii: "/")).map { PercentEncoding.decode($0) }
        for base in bases {
            if segments == base { return .itself }
            guard segments.count == base.count + 1, segments.dropLast().elementsEqual(base),
                let name = segments.last, Self.isName(name)
            else { continue }
            return .child(name)
        }
        return .elsewhere
    }

    /// A name that stays in its directory when it is used as one.
    private static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name != Array(".".utf8) && name != Array("..".utf8)
            && !name.contains(UInt8(ascii: "/")) && !name.contains(0)
    }
}
