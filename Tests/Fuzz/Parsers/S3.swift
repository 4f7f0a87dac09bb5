import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

@testable import HaulLogs
@testable import haul_s3

extension Parser {
    static let s3 = [
        Parser(name: "xml", feed: xml), Parser(name: "page", feed: page), Parser(name: "object", feed: object),
        Parser(name: "bucket", feed: bucket),
    ]

    /// What S3 servers answer: what was read is written, and read again as the same.
    private static func xml(_ data: Data) throws {
        if let error = S3Error.parse(String(decoding: data, as: UTF8.self)) {
            let answer = HTTPResponse(exitCode: 22, status: 400, downloaded: 0, uploaded: 0)
            try holdReason(answer.failure("PUT /a", error))
        }
        guard let tree = XMLTree.parse(data) else { return }
        let text = write(tree)
        // Names may be of another namespace, and of none when they are written.
        guard isPlain(tree) else { return }
        let again = XMLTree.parse(text)
        try hold(again == tree, "\(tree) is read as \(String(describing: again))")
    }

    private static func isPlain(_ tree: XMLTree) -> Bool {
        !tree.name.utf8.contains(UInt8(ascii: ":")) && tree.children.allSatisfy(isPlain)
    }

    private static func write(_ tree: XMLTree) -> String {
        let inner = tree.children.isEmpty ? XMLTree.escaped(tree.text) : tree.children.map(write).joined()
        return "<\(tree.name)>\(inner)</\(tree.name)>"
    }

    /// A page of a bucket's listing.
    private static func page(_ data: Data) throws {
        guard let page = try? ListPage.parse(data) else { return }
        try hold(page.objects.allSatisfy { $0.size >= 0 && !$0.key.isEmpty }, "\(page)")
        try hold(page.next != "", "a next page that cannot be asked for")
        for object in page.objects { try hold((object.modified ?? 0).magnitude < 1 << 40, "\(object)") }
    }

    /// Where logs are kept: what is written into a document is read out of it.
    private static func bucket(_ data: Data) throws {
        _ = XMLText.values("Key", in: Array(data))
        let text = String(decoding: data, as: UTF8.self)
        let found = XMLText.values("Key", in: Array("<Key>\(XMLText.escaped(text))</Key><Key>".utf8))
        try hold(found.count == 1 && found[0].utf8.elementsEqual(text.utf8), "\(text) is read as \(found)")
    }

    /// What an object's headers say, a line each: kept times are written and read again as the same.
    private static func object(_ data: Data) throws {
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines {
            if let md5 = ObjectFacts.md5(String(line)) { try hold(md5.utf8.count == 32, "\(line) is no md5") }
            guard let time = ObjectFacts.time(String(line)) else { continue }
            var facts = ObjectFacts(written: "", size: 0, source: .init(kind: .file)).facts
            (facts.modified, facts.nanoseconds) = time
            let text = ObjectFacts.text(facts)
            guard let again = ObjectFacts.time(text) else { throw Contradiction("\(text) is no time") }
            let isSame = again.seconds == time.seconds && (again.nanoseconds ?? 0) == (time.nanoseconds ?? 0)
            try hold(isSame, "\(line) is kept as \(text)")
        }
        guard let size = lines.first.flatMap({ Int($0) }), size >= 0 else { return }
        let step = Limits.partSize(size, wanted: 5 << 20)
        try hold(step > 0 && size / step <= Limits.mostParts, "\(size) bytes in parts of \(step)")
        let parts = Limits.parts(size, wanted: 5 << 20)
        try hold(parts.count <= Limits.mostParts && parts.last?.upperBound ?? 0 == size, "\(size) bytes in \(parts)")
    }
}
