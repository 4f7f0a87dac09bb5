import Foundation
import HaulAuth
import HaulCurl
import HaulModel

@testable import HaulHTTP

extension Parser {
    /// What stands in the heads of requests.
    static let requests = [
        Parser(name: "target", feed: target), Parser(name: "shown", feed: shown),
        Parser(name: "proxies", feed: proxies), Parser(name: "pass", feed: pass),
        Parser(name: "form", feed: form),
    ]

    /// As pairs and as parts: the fields are written as pairs, and read again as the same.
    private static func form(_ data: Data) throws {
        for type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            guard let form = try? fields(type, Array(data)) else { continue }
            let pairs = form.map { PercentEncoding.encode($0.name.utf8) + "=" + PercentEncoding.encode($0.value.utf8) }
            let again = try? fields("application/x-www-form-urlencoded", Array(pairs.joined(separator: "&").utf8))
            let isSame = again?.elementsEqual(form) { $0.name == $1.name && $0.value == $1.value }
            try hold(isSame == true, "\(form) is read as \(again ?? [])")
        }
    }

    private static func fields(_ type: String, _ body: [UInt8]) throws -> [(name: String, value: String)] {
        try FormFields(HTTPRequest(method: "POST", target: "/", headers: ["Content-Type": type], body: body)).fields
    }

    /// Paths and queries: what is good is written, and read again as the same.
    private static func target(_ data: Data) throws {
        let head = HTTPRequestHead(method: "GET", target: String(decoding: data, as: UTF8.self))
        guard !head.hasInvalidEncoding else { return }
        let isClean = !head.pathSegments.contains { $0.utf8.contains(0) }
        try hold(isClean && !head.query.contains { ($0.name + $0.value).utf8.contains(0) }, "a NUL is let through")
        let path = head.pathSegments.map { "/" + PercentEncoding.encode($0.utf8) }.joined() + "/"
        let query = head.query.map {
            PercentEncoding.encode($0.name.utf8) + "=" + PercentEncoding.encode($0.value.utf8)
        }
        let again = HTTPRequestHead(method: "GET", target: path + "?" + query.joined(separator: "&"))
        try hold(again.pathSegments == head.pathSegments, "\(head.pathSegments) are read as \(again.pathSegments)")
        try hold(
            again.query.elementsEqual(head.query) { $0.name == $1.name && $0.value == $1.value },
            "\(head.query) is read as \(again.query)")
    }

    /// A target on the first line, then header fields: what a request shows of who asks.
    private static func shown(_ data: Data) throws {
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        var headers: HTTPHeaders = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            headers.append(String(parts[0]), parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        var head = HTTPRequestHead(method: "GET", target: String(lines[0]), headers: headers)
        let isForeign = headers["Sec-Fetch-Site"] == "cross-site"
        switch Shown(head) {
        case .token(let token): try hold(!token.isEmpty, "no token is one")
        case .login(let name, let secret):
            try hold(!name.isEmpty && !secret.isEmpty, "nobody logs in")
            try hold(!isForeign, "\(name) logs in by somebody else's page")
            let isCookie = headers["Authorization"] == nil
            try hold(!isCookie || head.pathSegments.first == "qdo", "a cookie counts at \(lines[0])")
        case .certificate: throw Contradiction("a certificate is shown that is not there")
        case nil: break
        }
        head.clientSubject = "CN=a"
        if case .certificate? = Shown(head) {
            let isAlone = headers["Authorization"] == nil && headers["X-Token"] == nil
            try hold(isAlone && !isForeign, "a certificate counts beside something else")
        }
    }

    /// What a client wrote in front of what proxies say counts for nothing.
    private static func proxies(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        _ = AddressRange(text)
        if let address = NetworkAddress(text) {
            try hold(!text.utf8.contains(0), "what stands behind a NUL is not looked at")
            try hold(NetworkAddress(address.text) == address, "\(text) is written as \(address.text)")
        }
        let trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
        let ranges = trusted.compactMap(AddressRange.init)
        for header in TrustedProxies.Header.allCases {
            guard let proxies = TrustedProxies(trusted, header: header) else { continue }
            var headers: HTTPHeaders = [:]
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            for line in lines { headers.append(header.rawValue, line) }
            let client = proxies.client(of: headers, peer: "127.0.0.1")
            guard let address = NetworkAddress(client) else { throw Contradiction("\(client) is no address") }
            try hold(proxies.client(of: headers, peer: "192.0.2.1") == "192.0.2.1", "a stranger is believed")
            if ranges.contains(where: { $0.contains(address) }) { continue }
            var more: HTTPHeaders = [:]
            more.append(header.rawValue, header == .forwarded ? "for=203.0.113.9" : "203.0.113.9")
            for line in lines { more.append(header.rawValue, line) }
            let other = proxies.client(of: more, peer: "127.0.0.1")
            try hold(other == client, "\(client) becomes \(other) by what was written in front of it")
        }
    }

    /// A pass that nobody has made is good for nothing. The clock says another century than any that was.
    private static func pass(_ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        let server = KnownServer(id: 1, url: "http://a:1", run: "r", seen: Timestamp(milliseconds: 0))
        let pass = ServerPass(key: [UInt8](repeating: 7, count: 32), own: server) {
            Timestamp(milliseconds: 4_102_444_800_000)
        }
        let head = HTTPRequestHead(method: "GET", target: "/servers/1/x?a=b", headers: ["Authorization": text])
        try hold(!pass.isGenuine(head), "\(text) is genuine")
        try hold(!pass.admits(HTTPRequest(head: head)), "\(text) is admitted")
    }
}
