/// The text of a curl configuration file (`curl(1)`, `-K`): one option a line, values in double quotes.
public struct CurlConfig: Equatable, Sendable {
    public private(set) var text = ""

    /// What a request is to a curl process of its own, whose body, or whose answer's, passes through its pipes.
    /// - Parameter tag: Marks its result line.
    public init(_ call: CurlCall, tag: String) {
        set("url", call.url)
        flag("globoff")
        flag("path-as-is")
        flag("http1.1")
        set("proto", "=http,https")
        set("user-agent", "haul")
        set("connect-timeout", call.connectSeconds)
        set("speed-limit", 1)
        set("speed-time", call.stallSeconds)
        set("write-out", HTTPResponse.writeOut(tag: tag, headers: call.wanted))
        if let bandwidth = call.bandwidth { set("limit-rate", bandwidth) }
        if call.from > 0 { set("continue-at", "\(call.from)") }
        if call.followsRedirects {
            // Says where it would go, and goes nowhere: `CurlRedirects`.
            flag("location")
            set("max-redirs", 0)
        }
        connect(call.connection)
        send(call)
        switch call.kept {
        case .nothing, .memory: set("output", "/dev/null")
        case .file(let path): set("output", path)
        case .stream:
            // An error page must not pass for content.
            flag("fail")
            set("output", "-")
        }
    }

    private mutating func connect(_ connection: CurlConnection) {
        // The environment's proxies are for other programs.
        if let proxy = connection.proxy { set("proxy", proxy) } else { set("noproxy", "*") }
        if let authorities = connection.authorities { set("cacert", authorities) }
        if let password = connection.password {
            flag("basic")
            set("user", password)
        } else if let bearer = connection.bearer {
            set("oauth2-bearer", bearer)
        }
    }

    private mutating func send(_ call: CurlCall) {
        for line in call.lines { set("header", line) }
        switch call.sent {
        case .nothing:
            if call.method == "HEAD" { flag("head") } else if call.method != "GET" { set("request", call.method) }
        case .bytes(let bytes):
            set("request", call.method)
            set("data-binary", String(decoding: bytes, as: UTF8.self))
        case .file(let path):
            set("request", call.method)
            set("upload-file", path)
        case .halting: break
        case .stream(let length):
            set("request", call.method)
            set("upload-file", "-")
            if let length {
                set("header", "Transfer-Encoding:")
                set("header", "Content-Length: \(length)")
            }
        }
    }

    private mutating func flag(_ name: String) { text += name + "\n" }

    private mutating func set(_ name: String, _ value: Int) { text += "\(name) = \(value)\n" }

    /// A value may hold anything but NUL: nothing in it can end the line or the quotes.
    private mutating func set(_ name: String, _ value: String) { text += "\(name) = \(Self.quoted(value))\n" }

    /// Quotes as curl reads it back: backslash escapes for itself, the quote and the controls that would end a line.
    public static func quoted(_ value: String) -> String {
        var bytes = Array("\"".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
            case UInt8(ascii: "\r"): bytes += Array("\\r".utf8)
            case UInt8(ascii: "\t"): bytes += Array("\\t".utf8)
            case 0x0b: bytes += Array("\\v".utf8)
            case 0: break
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
