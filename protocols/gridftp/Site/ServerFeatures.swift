import HaulProtocol

/// What a server says of itself (FEAT), and what was found out besides.
struct ServerFeatures: Sendable, Equatable {
    /// MLST and MLSD (RFC 3659): without them nothing can be looked at.
    var listsFacts = false
    /// Listings over the control connection (MLSC): no data connection a directory.
    var listsInReplies = false
    /// A word that it does not know comes back in one line (HELP), so that a reply can be told from all others.
    var echoes = false
    /// Modification times can be set (MFMT).
    var setsTimes = false
    /// Parts of files (ERET, ESTO).
    var movesParts = false
    /// The checksums that the server computes (CKSM), in lower case: `md5`.
    var checksums: Set<String> = []
    /// What `~` is.
    var home = "/"
    /// The server takes every byte that is not ASCII out of what it is told: `aé` would mean `a`. Seen of
    /// globus-gridftp-server 13.24 on connections without GSI.
    var dropsUnicode = false

    init() {}

    init(_ reply: FTPReply) {
        for line in reply.text.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            switch words.first?.uppercased() {
            case "MLST": listsFacts = true
            case "MLSC": listsInReplies = true
            case "MFMT": setsTimes = true
            case "ERET", "ESTO": movesParts = true
            case "CKSM":
                let kinds = words.dropFirst().joined().split(whereSeparator: { ";,".contains($0) })
                checksums = Set(kinds.compactMap { $0.split(separator: ":").first?.lowercased() })
            default: break
            }
        }
    }

    /// The directory of a 257 reply, with doubled quotes as single ones.
    static func directory(_ reply: FTPReply) -> String? {
        let text = reply.firstText
        guard reply.code == 257, let open = text.firstIndex(of: "\""), let close = text.lastIndex(of: "\""),
            open < close
        else { return nil }
        let quoted = text[text.index(after: open)..<close].split(separator: "\"\"", omittingEmptySubsequences: false)
        let path = quoted.joined(separator: "\"")
        return path.hasPrefix("/") ? path : nil
    }
}
