import Foundation
import FoundationXML
import HaulCurl

/// One `response` of a WebDAV multistatus document (RFC 4918, section 14.24): what a PROPFIND says of one resource.
struct Resource: Equatable {
    /// As the server wrote it: a path or a whole URL, percent-encoded.
    var href: String
    var isCollection = false
    /// Bytes; nil where the server does not say (collections).
    var size: Int?
    /// Seconds since 1970; nil where the server does not say.
    var modified: Int?
    /// Of the response as a whole, where it has one (403 for what may not be looked at).
    var status: Int?
}

/// Reads a multistatus document as it comes, one `response` at a time, so that a directory of a million entries costs no
/// more memory than one of ten. What a hostile server can send is bounded: depth, text, no document type.
final class Multistatus: NSObject, XMLParserDelegate {
    struct Broken: Error, Equatable {
        let reason: String
    }

    private static let deepest = 64
    private static let longestText = 64 << 10

    private let found: (Resource) -> Void
    private var depth = 0
    private var text = ""
    /// Nil outside a `response`.
    private var resource: Resource?
    /// What the current `propstat` says, merged into the resource where its status is a success.
    private var properties = Resource(href: "")
    private var propertyStatus: Int?
    private var inPropstat = false
    private var sawRoot = false
    private var broken: Broken?

    private init(found: @escaping (Resource) -> Void) {
        self.found = found
    }

    /// Parses the document of `stream` to its end. Blocks: call it off Swift's cooperative pool.
    static func parse(_ stream: InputStream, found: @escaping (Resource) -> Void) throws(Broken) {
        let reader = Multistatus(found: found)
        let parser = XMLParser(stream: stream)
        parser.shouldProcessNamespaces = true
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        let complete = parser.parse()
        if let broken = reader.broken { throw broken }
        guard complete else {
            throw Broken(reason: "not well-formed XML near line \(parser.lineNumber)")
        }
        // The end of the stream alone is none of the document: the parser takes it for one.
        guard reader.depth == 0 else { throw Broken(reason: "it ends in the middle") }
        guard reader.sawRoot else { throw Broken(reason: "no multistatus document") }
    }

    private func fail(_ parser: XMLParser, _ reason: String) {
        if broken == nil { broken = Broken(reason: reason) }
        parser.abortParsing()
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        guard broken == nil else { return }
        depth += 1
        text = ""
        guard depth <= Self.deepest else { return fail(parser, "elements nested deeper than \(Self.deepest)") }
        guard namespaceURI == "DAV:" else {
            if depth == 1 { fail(parser, "the document is <\(name.prefix(64))>, not a WebDAV multistatus") }
            return
        }
        switch name {
        case "multistatus" where depth == 1: sawRoot = true
        case _ where depth == 1: fail(parser, "the document is <\(name.prefix(64))>, not a WebDAV multistatus")
        case "response" where depth == 2: resource = Resource(href: "")
        case "propstat" where depth == 3:
            inPropstat = true
            properties = Resource(href: "")
            propertyStatus = nil
        case "collection" where inPropstat: properties.isCollection = true
        default: break
        }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) {
        guard broken == nil, resource != nil else { return }
        guard text.utf8.count + characters.utf8.count <= Self.longestText else {
            return fail(parser, "a value longer than \(Self.longestText) bytes")
        }
        text += characters
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        self.parser(parser, foundCharacters: String(decoding: block, as: UTF8.self))
    }

    /// No WebDAV answer has a document type; one that declares entities only means to harm.
    func parser(
        _ parser: XMLParser, foundInternalEntityDeclarationWithName name: String, value: String?
    ) {
        fail(parser, "the document declares entities")
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard broken == nil else { return }
        defer {
            depth -= 1
            text = ""
        }
        guard namespaceURI == "DAV:", resource != nil else { return }
        // Only what indents a document: an unencoded name may end in any other kind of space.
        let value = text.trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n"))
        switch (name, inPropstat) {
        case ("href", false) where depth == 3: resource?.href = value
        case ("status", false): resource?.status = Self.code(value)
        case ("status", true): propertyStatus = Self.code(value)
        case ("getcontentlength", true): properties.size = Int(value).flatMap { $0 >= 0 ? $0 : nil }
        case ("getlastmodified", true): properties.modified = HTTPDate.seconds(value)
        case ("propstat", _) where depth == 3: merge()
        case ("response", _) where depth == 2:
            if let resource { found(resource) }
            resource = nil
        default: break
        }
    }

    private func merge() {
        inPropstat = false
        guard (200..<300).contains(propertyStatus ?? 200) else { return }
        if properties.isCollection { resource?.isCollection = true }
        if let size = properties.size { resource?.size = size }
        if let modified = properties.modified { resource?.modified = modified }
    }

    /// The number in `HTTP/1.1 200 OK`.
    private static func code(_ line: String) -> Int? {
        line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
