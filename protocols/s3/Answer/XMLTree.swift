import Foundation
import FoundationXML
import HaulCurl

/// A small document of S3: errors, ids of uploads, parts. Namespaces and attributes make no difference.
struct XMLTree: Sendable, Equatable {
    var name: String
    var text = ""
    var children: [XMLTree] = []

    func child(_ name: String) -> XMLTree? { children.first { $0.name == name } }
    func children(_ name: String) -> [XMLTree] { children.filter { $0.name == name } }

    /// The text of a child, or nothing.
    subscript(_ name: String) -> String { child(name)?.text ?? "" }

    /// Nil for what is no well-formed document, or a harmful one. Blocks: for small ones only.
    static func parse(_ text: String) -> XMLTree? { parse(Data(text.utf8)) }

    static func parse(_ data: Data) -> XMLTree? {
        guard data.isSafeXML else { return nil }
        let reader = XMLTreeReader()
        let parser = XMLParser(data: data)
        parser.shouldProcessNamespaces = true
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        guard parser.parse(), !reader.broken, reader.open.isEmpty else { return nil }
        return reader.root
    }

    /// Sign by sign: with an accent behind it a `&` is to Swift's String another letter.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            // Written as it is, a reader takes it for the end of a line.
            case "\r": escaped += "&#13;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

private final class XMLTreeReader: NSObject, XMLParserDelegate {
    private static let most = 200_000
    var open: [XMLTree] = []
    var root: XMLTree?
    var broken = false
    private var seen = 0

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        seen += 1
        guard open.count < 16, seen < Self.most else { return fail(parser) }
        open.append(XMLTree(name: name))
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) {
        guard !open.isEmpty else { return }
        open[open.count - 1].text += characters
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        self.parser(parser, foundCharacters: String(decoding: block, as: UTF8.self))
    }

    /// No answer of S3 has a document type; one that declares entities only means to harm.
    func parser(_ parser: XMLParser, foundInternalEntityDeclarationWithName name: String, value: String?) {
        fail(parser)
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard var element = open.popLast() else { return }
        // Between elements there is only what indents them.
        if !element.children.isEmpty { element.text = "" }
        if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
    }

    private func fail(_ parser: XMLParser) {
        broken = true
        parser.abortParsing()
    }
}
