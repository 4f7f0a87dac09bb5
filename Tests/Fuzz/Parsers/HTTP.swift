import Foundation
import HaulModel
import HaulProtocol

@testable import HaulCurl
@testable import haul_http

extension Parser {
    static let http = [
        Parser(name: "multistatus", feed: multistatus), Parser(name: "href", feed: href),
        Parser(name: "curl", feed: curl),
    ]

    /// What WebDAV servers list: the quick reader and the thorough one find the same.
    private static func multistatus(_ data: Data) throws {
        var quick: [Resource] = []
        let isPlain = PlainMultistatus.parse(data) { quick.append($0) }
        guard data.isSafeXML else { return }
        var thorough: [Resource] = []
        do { try Multistatus.parse(InputStream(data: data)) { thorough.append($0) } } catch { return }
        try hold(!isPlain || quick == thorough, "\(quick) is \(thorough)")
    }

    /// Names of children stay in their directory.
    private static func href(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        let site = try haul_http.Site(
            SiteSpec(site: "a", endpoints: ["a:80"], options: ["prefix": "/p"]), scratch: "/nonexistent", proxy: nil)
        let directory = try Location("/d")
        switch ChildNames(of: directory, at: site).child(text) {
        case .child(let name):
            try hold(!name.isEmpty && !name.contains(UInt8(ascii: "/")) && !name.contains(0), "\(text) has no name")
            try hold(name != Array(".".utf8) && name != Array("..".utf8), "\(text) leads out")
        case .itself, .elsewhere: break
        }
        let bytes = Array(data)
        try hold(PercentEncoding.decode(PercentEncoding.encode(bytes).utf8) == bytes, "\(text) is encoded as another")
        if let location = try? Location(text) {
            try hold(!location.segments.contains(Array("..".utf8)), "\(text) leads out")
            try hold(location.segments.allSatisfy { !$0.isEmpty && !$0.contains(0) }, "\(text) has an empty name")
        }
    }

    /// What curl writes of an answer, and dates in it.
    private static func curl(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        // Up to the year 9999: a leap second at its end would be of the next.
        if let time = HTTPDate.seconds(text), time < 253_402_300_800 {
            try hold(HTTPDate.seconds(HTTPDate.text(time)) == time, "\(text) is \(HTTPDate.text(time))")
        }
        guard let (tag, answer) = HTTPResponse.parse(text) else { return }
        let length = answer.contentLength.map(String.init) ?? ""
        let numbers = [answer.exitCode, answer.status, answer.downloaded, answer.uploaded, answer.headers.count]
        let fields =
            [length, answer.lastModified, answer.etag, answer.authenticate, answer.finalURL, answer.redirect]
            + answer.headers + [answer.message]
        let line = ([tag] + numbers.map(String.init)).joined(separator: " ") + "\t" + fields.joined(separator: "\t")
        guard let again = HTTPResponse.parse(line) else { throw Contradiction("\(line) is not read") }
        try hold(again.tag == tag && again.response == answer, "\(answer) is read as \(again)")
        try hold((answer.errorClass == nil) == answer.isSuccess, "\(answer) is neither a success nor a failure")
        try holdReason(answer.failure("GET /a"))
    }
}
