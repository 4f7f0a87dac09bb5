import Foundation
import HaulModel
import HaulProtocol

@testable import HaulCurl
@testable import haul_http

extension Parser {
    static let http = [
        Parser(name: "multistatus", feed: multistatus), Parser(name: "href", feed: href),
        Parser(name: "answer", feed: answer),
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

    /// What a server's answer says of a failure, and dates in it: `EXITCODE STATUS`, then header values and a message, with
    /// tabs between.
    private static func answer(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        // Up to the year 9999: a leap second at its end would be of the next.
        if let time = HTTPDate.seconds(text), time < 253_402_300_800 {
            try hold(HTTPDate.seconds(HTTPDate.text(time)) == time, "\(text) is \(HTTPDate.text(time))")
        }
        let fields = text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        let numbers = fields[0].split(separator: " ").compactMap { Int($0) }
        guard fields.count == 5, numbers.count == 2 else { return }
        var answer = HTTPResponse(
            exitCode: numbers[0], status: numbers[1], downloaded: 0, uploaded: 0, message: fields[4])
        (answer.lastModified, answer.authenticate, answer.redirect) = (fields[1], fields[2], fields[3])
        try hold((answer.errorClass == nil) == answer.isSuccess, "\(answer) is neither a success nor a failure")
        try holdReason(answer.failure("GET /a"))
        if let target = CurlTarget(answer.redirect) {
            try hold(CurlTarget(target.url)?.origin == target.origin, "\(answer.redirect) leads to two places")
        }
    }
}
