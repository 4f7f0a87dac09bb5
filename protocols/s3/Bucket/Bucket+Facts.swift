import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// What S3 says of one object.
struct ObjectFacts: Sendable, Equatable {
    var size: Int
    /// Seconds since 1970, from the object's metadata where somebody kept it there, else when it was written.
    var modified: Int?
    var nanoseconds: Int?
    /// As the server writes it, quotes included; what a later request must still find.
    var etag: String
    /// The md5 of the content as lower-case digits, where the ETag is one: of objects in one part, not encrypted with
    /// keys of a customer or of KMS.
    var md5: String?
    var contentType = ""
    /// The metadata `mtime` as it stands there.
    var mtime = ""

    var facts: FileFacts {
        FileFacts(kind: .file, size: size, modified: modified, nanoseconds: nanoseconds, version: etag)
    }

    /// Of a HEAD's answer.
    init(_ response: HTTPResponse, size: Int) {
        self.size = size
        etag = response.etag
        mtime = response.header(.mtime)
        contentType = response.header(.contentType)
        let kept = Self.time(mtime)
        modified = kept?.seconds ?? HTTPDate.seconds(response.lastModified)
        nanoseconds = kept?.nanoseconds
        md5 = Self.isEncrypted(response) ? nil : Self.md5(etag)
    }

    /// Of what was just written.
    init(written etag: String, size: Int, source: FileFacts, isEncrypted: Bool = false) {
        self.size = size
        self.etag = etag
        modified = source.modified
        nanoseconds = source.nanoseconds
        mtime = Self.text(source)
        md5 = isEncrypted ? nil : Self.md5(etag)
    }

    /// Of a listing, which knows no metadata.
    init(_ object: ListPage.Object) {
        size = object.size
        modified = object.modified
        etag = object.etag
    }

    /// An ETag of 32 hexadecimal digits without a number of parts behind it.
    static func md5(_ etag: String) -> String? {
        let digits = etag.filter { $0 != "\"" }.lowercased()
        return digits.utf8.count == 32 && digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
            ? digits : nil
    }

    static func isEncrypted(_ response: HTTPResponse) -> Bool {
        response.header(.encryption).hasPrefix("aws:kms") || !response.header(.customerKey).isEmpty
    }

    /// `1700000000.123456789`, as rclone and others keep it.
    static func time(_ text: String) -> (seconds: Int, nanoseconds: Int?)? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let seconds = Int(first), seconds.magnitude < 1 << 40 else { return nil }
        guard parts.count == 2 else { return (seconds, nil) }
        let digits = parts[1].prefix(9)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let fraction = Int(digits + String(repeating: "0", count: 9 - digits.utf8.count))
        else { return (seconds, nil) }
        // Before 1970 the fraction counts downwards.
        return first.hasPrefix("-") && fraction > 0 ? (seconds - 1, 1_000_000_000 - fraction) : (seconds, fraction)
    }

    /// The same, to be kept.
    static func text(_ facts: FileFacts) -> String {
        guard var seconds = facts.modified else { return "" }
        guard var fraction = facts.nanoseconds, fraction > 0 else { return String(seconds) }
        let isBefore = seconds < 0
        if isBefore { (seconds, fraction) = (seconds + 1, 1_000_000_000 - fraction) }
        let digits = String(fraction)
        var text = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while text.hasSuffix("0") { text.removeLast() }
        return (isBefore && seconds == 0 ? "-0" : String(seconds)) + "." + text
    }
}

/// What stands at a path.
enum Thing: Sendable, Equatable {
    case file(ObjectFacts)
    /// With its marker, where it has one.
    case directory(marker: ObjectFacts?)

    var facts: FileFacts {
        switch self {
        case .file(let object): object.facts
        case .directory(let marker): FileFacts(kind: .directory, modified: marker?.modified)
        }
    }
}

extension Bucket {
    /// The object of a file; nil for none. One request, and a second one that asks why where the first is refused: a
    /// HEAD's refusal has no document.
    func object(_ place: Place) async throws -> ObjectFacts? {
        guard !place.location.isRoot, !place.location.saysDirectory else { return nil }
        let what = "HEAD \(place.shown)"
        let reply = try await send(request(.head, place.key))
        switch reply.response.status {
        case 404 where reply.response.exitCode == 0: return nil
        case 200..<300 where reply.response.exitCode == 0:
            guard let size = reply.response.contentLength else {
                throw BackendFailure(.invalid, "\(what): the server does not say how long it is")
            }
            return ObjectFacts(reply.response, size: size)
        default: throw await refusal(reply.response, of: place, what)
        }
    }

    /// Why an object is refused: asked once more for one byte, because neither a HEAD nor a stream has a document that
    /// says so.
    func refusal(_ response: HTTPResponse, of place: Place, _ what: String) async -> BackendFailure {
        guard response.status >= 300, response.status != 404,
            let why = try? await send(request(.get, place.key, headers: [("Range", "bytes=0-0")])),
            !why.response.isSuccess, why.error != nil
        else { return response.failure(what, nil) }
        return why.response.failure(what, why.error)
    }

    /// What is at a path; nil for nothing. One listing of one key, mostly: S3 lists in the order of bytes, so a file comes
    /// before all that begins with its name.
    func look(_ place: Place) async throws -> Thing? {
        if place.location.isRoot { return .directory(marker: nil) }
        if !place.location.saysDirectory {
            guard let page = try await mayList(place) else {
                // Nobody may list here; then nobody sees directories either.
                return try await object(place).map { .file($0) }
            }
            guard let first = page.objects.first else { return nil }
            if first.key == place.key { return .file(ObjectFacts(first)) }
            if first.key.starts(with: place.directoryKey) { return directory(place, first) }
        }
        return try await firstKeys(of: place.directoryKey, most: 1, place.shown).first.flatMap { directory(place, $0) }
    }

    private func directory(_ place: Place, _ first: ListPage.Object) -> Thing {
        .directory(marker: first.key == place.directoryKey ? ObjectFacts(first) : nil)
    }

    private func mayList(_ place: Place) async throws -> ListPage? {
        do {
            return try await page(below: place.key, most: 1, delimited: false, after: nil, place.shown)
        } catch let failure as BackendFailure where failure.errorClass == .permission {
            return nil
        }
    }

    /// The first keys that begin with something.
    func firstKeys(of prefix: [UInt8], most: Int, _ shown: String) async throws -> [ListPage.Object] {
        try await page(below: prefix, most: most, delimited: false, after: nil, shown).objects
    }

    /// One page of a listing.
    /// - Parameters:
    ///   - delimited: Whether keys with a slash behind the prefix are told by their directory.
    ///   - after: Where the page before ended.
    func page(
        below prefix: [UInt8], most: Int, delimited: Bool, after token: String?, _ shown: String
    ) async throws -> ListPage {
        var query = [
            ("list-type", "2"), ("encoding-type", "url"), ("max-keys", "\(most)"),
            ("prefix", String(decoding: prefix, as: UTF8.self)),
        ]
        if delimited { query.append(("delimiter", "/")) }
        if let token { query.append(("continuation-token", token)) }
        let what = "list \(shown)"
        let reply = try await accepted(request(.get, [], query: query), what)
        let page: ListPage
        do {
            page = try await curl.run { try ListPage.parse(reply.document) }
        } catch let broken as ListPage.Broken {
            throw BackendFailure(.unknown, "\(what): the answer is no listing: \(broken.reason)")
        }
        // Whoever believed it would take a directory for empty that is not, or remove what nobody named.
        let stray =
            page.objects.first { !$0.key.starts(with: prefix) }?.key
            ?? page.prefixes.first { !$0.starts(with: prefix) || $0.last != UInt8(ascii: "/") }
        if let stray {
            throw BackendFailure(
                .invalid, "\(what): the answer names \"\(EntryName.escaped(stray))\", which was not asked for")
        }
        if let token, page.next == token {
            throw BackendFailure(.invalid, "\(what): the server gives the same page again and again")
        }
        return page
    }
}
