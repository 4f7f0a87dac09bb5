import CCurl
import Foundation
import HaulModel
import HaulProtocol

/// A libcurl handle with what its request reads and writes; lives on the loop's thread only, and serves one request
/// after the other.
final class CurlHandle {
    /// Bytes of all header lines of an answer, interim answers and trailer included.
    private static let headLimit = 256 << 10

    let easy: UnsafeMutableRawPointer
    private(set) var job: CurlJob?
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var wanted: [String] = []
    private var sink = CurlSink()
    private var source: CurlSource?
    private var halt: CurlHalt?
    private var flow: CurlFlow?
    /// For what streams: while it stands still on this side, the server is not the one who does nothing.
    private var stall = CurlStall()
    private var headSize = 0
    private var isHeadWhole = false
    /// How often the request went out.
    private var sendings = 0

    /// Nil where libcurl has no memory.
    init?() {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        end()
        curl_easy_cleanup(easy)
        errorText.deallocate()
    }

    /// Sets up a request.
    /// - Throws: ``BackendFailure`` where libcurl refuses it, or a file cannot be opened.
    func prepare(_ job: CurlJob) throws(BackendFailure) {
        let call = job.request.call()
        if let problem = job.pool.hosts?.problem(url: call.url) { throw BackendFailure(.permission, problem) }
        self.job = job
        errorText[0] = 0
        wanted = call.wanted
        sink = CurlSink(limit: job.pool.roof)
        if let reason = open(call) { throw BackendFailure(.backend, reason) }
        for line in call.lines { fields = curl_slist_append(fields, line) }
        let context = Unmanaged.passUnretained(self).toOpaque()
        var codes = call.set(on: easy) + call.connection.set(on: easy) + body(call, context)
        if job.isFresh { codes.append(haul_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)) }
        if flow != nil { codes += streaming(call, context) }
        codes += [
            haul_curl_set_callbacks(easy, Self.receive, Self.receiveLine, context),
            haul_curl_set_before(easy, Self.before, context),
            haul_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText),
            haul_curl_set_headers(easy, fields),
        ]
        guard codes.allSatisfy({ $0 == CURLE_OK }) else {
            throw BackendFailure(.invalid, "libcurl does not take such a request")
        }
    }

    /// Forgets the request; the handle must not be in libcurl's hands any more.
    func end() {
        curl_easy_reset(easy)
        curl_slist_free_all(fields)
        fields = nil
        job = nil
        sink = CurlSink()
        source = nil
        halt = nil
        (flow, stall) = (nil, CurlStall())
        (headSize, isHeadWhole, sendings) = (0, false, 0)
    }

    /// Hands on to its reader what came of an answer that streams.
    func flush() { if flow?.inflow?.flush() == true { goOn() } }

    /// Has a transfer go on that stood still because its reader or its writer was slow.
    func goOn() {
        guard flow != nil else { return }
        stall.goOn()
        haul_curl_go_on(easy)
    }

    /// Whether every kept connection that the request was put on was closed without a word, until libcurl gave up.
    func metClosedConnections(_ code: CURLcode) -> Bool {
        code == CURLE_SEND_ERROR && sendings > 1 && headSize == 0 && halt == nil && source?.failure == nil
    }

    /// Whether a connection was there, so that libcurl has put away what it had for the request: of one that failed before,
    /// it keeps buffers whose size it does not change any more.
    var isReusable: Bool { sendings > 0 }

    /// What came of it.
    func response(_ code: CURLcode) -> HTTPResponse {
        let status = Int(haul_curl_number(easy, CURLINFO_RESPONSE_CODE))
        var exitCode = Int(code.rawValue)
        var message = code == CURLE_OK ? "" : String(cString: errorText)
        if code != CURLE_OK, message.isEmpty { message = String(cString: curl_easy_strerror(code)) }
        if headSize > Self.headLimit {
            (exitCode, message) = (56, "the answer's head is longer than \(Self.headLimit) bytes")
        } else if code == CURLE_OK, !isHeadWhole {
            // libcurl takes a head that breaks off for a whole one.
            (exitCode, message) = (56, "the connection ended within the answer's head")
        } else if let failure = source?.failure ?? flow?.outflow?.failure {
            (exitCode, message) = (26, failure)
        } else if let failure = sink.failure {
            (exitCode, message) = (23, failure)
        } else if stall.isOver {
            (exitCode, message) = (28, "nothing moved for \(stall.seconds) seconds")
        } else if code == CURLE_OK, let length = flow?.outflow?.length, status < 300,
            haul_curl_number(easy, CURLINFO_SIZE_UPLOAD_T) < Int64(length)
        {
            // libcurl is content with any answer: one that came while it asked for leave, or with the connection's end.
            (exitCode, message) = (55, "the server answered before it had the body")
        }
        var response = HTTPResponse(
            exitCode: exitCode, status: status,
            downloaded: flow?.inflow?.count ?? sink.count,
            uploaded: flow?.outflow?.count ?? Int(haul_curl_number(easy, CURLINFO_SIZE_UPLOAD_T)), message: message)
        response.contentLength = Int(header("content-length")).flatMap { $0 >= 0 ? $0 : nil }
        response.lastModified = header("last-modified")
        response.etag = header("etag")
        response.authenticate = header("www-authenticate")
        response.finalURL = haul_curl_url(easy).map { String(cString: $0) } ?? ""
        response.redirect = haul_curl_redirect(easy).map { String(cString: $0) } ?? ""
        response.headers = wanted.map(headers)
        response.body = sink.bytes
        response.repeated = job?.isFresh == true || sendings > 1
        return response
    }

    /// Of the last answer, where there were redirects; empty where missing.
    private func header(_ name: String) -> String {
        var found: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(easy, name, 0, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK, let found else {
            return ""
        }
        return found.pointee.value.map { String(cString: $0) } ?? ""
    }

    /// All lines of that name as one (RFC 9110, section 5.2).
    private func headers(_ name: String) -> String {
        var lines: [String] = []
        var found: UnsafeMutablePointer<curl_header>?
        while curl_easy_header(easy, name, lines.count, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK,
            let value = found?.pointee.value
        {
            lines.append(String(cString: value))
        }
        return lines.joined(separator: ", ")
    }

    /// - Returns: Why a file of this machine cannot be used.
    private func open(_ call: CurlCall) -> String? {
        switch call.kept {
        case .nothing: break
        case .memory(let limit): sink = CurlSink(memory: min(limit, sink.limit))
        case .file(let path): sink = CurlSink(path: path, limit: sink.limit)
        case .stream: flow = job?.flow
        }
        switch call.sent {
        case .nothing, .bytes: break
        case .file(let path): source = CurlSource(path: path)
        case .halting(let halt): self.halt = halt
        case .stream: flow = job?.flow
        }
        if case .stream = call.kept, flow?.inflow == nil { return "nobody reads what is to be streamed" }
        if case .stream = call.sent, flow?.outflow == nil { return "nobody writes what is to be streamed" }
        return sink.failure ?? source?.failure
    }

    private func body(_ call: CurlCall, _ context: UnsafeMutableRawPointer) -> [CURLcode] {
        var codes: [CURLcode] = []
        switch call.sent {
        case .nothing:
            if call.method == "GET" { return [haul_curl_set_long(easy, CURLOPT_HTTPGET, 1)] }
            if call.method == "HEAD" { return [haul_curl_set_long(easy, CURLOPT_NOBODY, 1)] }
        case .bytes(let bytes):
            codes.append(
                bytes.isEmpty
                    ? haul_curl_set_body(easy, "", 0)
                    : bytes.withUnsafeBytes { haul_curl_set_body(easy, $0.baseAddress, Int64($0.count)) })
        case .file:
            codes.append(
                haul_curl_set_upload(easy, Int64(source?.size ?? 0), Self.send, Self.rewind, context))
        case .stream(let length):
            codes.append(haul_curl_set_upload(easy, Int64(length ?? -1), Self.send, Self.rewind, context))
            // What has left cannot be sent once more over another connection.
            codes.append(haul_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1))
        case .halting(let halt):
            codes.append(haul_curl_set_upload(easy, Int64(halt.length), Self.send, Self.rewind, context))
            // Only the server's own word makes it begin.
            codes.append(haul_curl_set_long(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 600_000))
        }
        return codes + [haul_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, call.method)]
    }

    private func streaming(_ call: CurlCall, _ context: UnsafeMutableRawPointer) -> [CURLcode] {
        stall = CurlStall(seconds: call.stallSeconds)
        // libcurl reads as much as it has room for, and then waits for as long as that takes at the bandwidth.
        let buffer = min(CurlFlow.buffer, max(1 << 10, (call.bandwidth ?? .max) / 4))
        return [
            haul_curl_set_long(easy, CURLOPT_BUFFERSIZE, buffer),
            haul_curl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, max(16 << 10, buffer)),
            // An error page must not pass for content.
            haul_curl_set_long(easy, CURLOPT_FAILONERROR, flow?.inflow == nil ? 0 : 1),
            // libcurl's own clock counts pauses of an upload as the server's; it only has the transfer looked at.
            haul_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, Int(Int32.max) / 1000),
            haul_curl_set_progress(easy, Self.look, context),
        ]
    }

    // MARK: What libcurl calls

    private static func of(_ context: UnsafeMutableRawPointer?) -> CurlHandle? {
        context.map { Unmanaged<CurlHandle>.fromOpaque($0).takeUnretainedValue() }
    }

    private static let receive: haul_curl_data = { data, size, count, context in
        guard let handle = of(context) else { return 0 }
        let piece = UnsafeRawBufferPointer(start: data, count: size * count)
        if let inflow = handle.flow?.inflow {
            // Where it leads elsewhere, what the server says of that is no content.
            guard haul_curl_number(handle.easy, CURLINFO_RESPONSE_CODE) < 300 else { return piece.count }
            return inflow.take(piece) ? piece.count : haul_curl_pause()
        }
        return handle.sink.take(piece) ? piece.count : 0
    }

    private static let receiveLine: haul_curl_data = { data, size, count, context in
        guard let handle = of(context), let data else { return 0 }
        let line = UnsafeRawBufferPointer(start: data, count: size * count)
        handle.headSize += line.count
        // A status line begins a head, an empty line ends it.
        if line.first == UInt8(ascii: "H"), line.starts(with: "HTTP/".utf8) { handle.isHeadWhole = false }
        if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") { handle.isHeadWhole = true }
        return handle.headSize <= headLimit ? line.count : 0
    }

    private static let send: haul_curl_data = { data, size, count, context in
        guard let data, let handle = of(context) else { return haul_curl_abort_upload() }
        let room = UnsafeMutableRawBufferPointer(start: data, count: size * count)
        if let halt = handle.halt {
            let count = halt.take(room.count)
            memset(data, 0, count)
            return count > 0 ? count : haul_curl_pause_upload()
        }
        if let outflow = handle.flow?.outflow {
            switch outflow.fill(room) {
            case .bytes(let count): return count
            case .pause: return haul_curl_pause_upload()
            case .abort: return haul_curl_abort_upload()
            }
        }
        return handle.source?.fill(room) ?? haul_curl_abort_upload()
    }

    private static let rewind: haul_curl_seek = { context, offset, origin in
        guard let handle = of(context) else { return CURL_SEEKFUNC_FAIL }
        if let outflow = handle.flow?.outflow {
            return outflow.count == 0 && offset == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        return handle.source?.go(to: Int(offset), origin) ?? false ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
    }

    private static let look: haul_curl_progress = { context, _, received, _, sent in
        guard let handle = of(context), let flow = handle.flow else { return 0 }
        let stands = flow.inflow?.isPaused == true || flow.outflow?.isPaused == true
        return handle.stall.saw(Int(received) + Int(sent), standsHere: stands) ? 0 : 1
    }

    private static let before: haul_curl_before = { context, _, _, _, _ in
        of(context)?.sendings += 1
        return haul_curl_before_ok()
    }
}
