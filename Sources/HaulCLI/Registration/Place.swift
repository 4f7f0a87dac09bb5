import HaulModel

/// `SITE:PATH` on the command line: a site's name or id, and a path that may hold anything, colons too.
struct Place: Equatable {
    var site: String
    var path: String

    init(_ text: String) throws(CLIError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon != text.startIndex else {
            throw .usage("expected SITE:PATH, found \(text)", hint: "as in ssh-a:/data/file or 12:~/file")
        }
        site = String(text[..<colon])
        path = String(text[text.utf8.index(after: colon)...])
        if let problem = TransferPath.problem(path) { throw .usage("the path of \(text) \(problem)") }
        guard !site.contains("/") else {
            throw .usage("expected SITE:PATH, found \(text)", hint: "what stands before the first colon names the site")
        }
    }

    /// As the API takes it: an id as a number.
    var siteValue: JSONValue { Int(site).map { .int($0) } ?? .string(site) }
}
