import CCurl

/// A transfer's libcurl handle with the memory that it points to; lives on the client's thread only.
final class TransferHandle {
    let transfer: Transfer
    let easy: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    /// - Returns: nil when libcurl is out of memory or refuses the request.
    init?(_ transfer: Transfer, _ configuration: HTTPClientConfiguration) {
        guard let easy = curl_easy_init() else { return nil }
        self.transfer = transfer
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard prepare(transfer.request, configuration) else { return nil }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(fields)
        errorText.deallocate()
    }

    /// What libcurl says of a failure.
    func error(_ code: CURLcode) -> HTTPClientError {
        HTTPClientError(code: code, detail: String(cString: errorText))
    }

    private func prepare(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration) -> Bool {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        var codes = [
            haul_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText),
            haul_curl_set_callbacks(easy, Self.receive, Self.receiveLine, context),
            haul_curl_set_text(easy, CURLOPT_URL, request.url),
            haul_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            haul_curl_set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            haul_curl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            // A name server that is slow must not hold up the other transfers when this one is given up.
            haul_curl_set_long(easy, CURLOPT_QUICK_EXIT, 1),
            haul_curl_set_long(easy, CURLOPT_PATH_AS_IS, 1),
            // A server that is gone without a word is found out, also by who follows a stream that is silent for long.
            haul_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            haul_curl_set_long(easy, CURLOPT_TCP_KEEPIDLE, 30),
            haul_curl_set_long(easy, CURLOPT_TCP_KEEPINTVL, 10),
            haul_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0),
            haul_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(configuration.connectTimeout)),
            haul_curl_set_text(easy, CURLOPT_USERAGENT, configuration.userAgent),
        ]
        if let proxy = configuration.proxy {
            codes.append(haul_curl_set_text(easy, CURLOPT_PROXY, proxy))
        } else {
            codes.append(haul_curl_set_text(easy, CURLOPT_NOPROXY, "*"))
        }
        if let path = configuration.authoritiesPath { codes.append(haul_curl_set_text(easy, CURLOPT_CAINFO, path)) }
        if let path = configuration.certificatePath {
            codes.append(haul_curl_set_text(easy, CURLOPT_SSLCERT, path))
            codes.append(haul_curl_set_text(easy, CURLOPT_SSLKEY, configuration.keyPath ?? path))
        }
        if let seconds = request.timeout ?? configuration.timeout {
            codes.append(haul_curl_set_long(easy, CURLOPT_TIMEOUT_MS, Self.milliseconds(seconds)))
        }
        if let seconds = request.idleTimeout {
            codes.append(haul_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1))
            codes.append(haul_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, Int(max(1, seconds.rounded(.up)))))
        }
        codes += body(request)
        for field in request.headers.fields {
            // libcurl's way to send a header without a value.
            let line = field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
            fields = curl_slist_append(fields, line)
        }
        if request.headers["Content-Type"] == nil { fields = curl_slist_append(fields, "Content-Type:") }
        codes.append(haul_curl_set_headers(easy, fields))
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    private func body(_ request: HTTPClientRequest) -> [CURLcode] {
        if request.method == "HEAD" { return [haul_curl_set_long(easy, CURLOPT_NOBODY, 1)] }
        if request.method == "GET", request.body.isEmpty { return [haul_curl_set_long(easy, CURLOPT_HTTPGET, 1)] }
        let set =
            request.body.isEmpty
            ? haul_curl_set_body(easy, "", 0)
            : request.body.withUnsafeBytes { haul_curl_set_body(easy, $0.baseAddress, Int64($0.count)) }
        return [set, haul_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method)]
    }

    private static func milliseconds(_ seconds: Double) -> Int {
        Int(min(max(seconds * 1000, 1), 1e9))
    }

    private static let receive: haul_curl_data = { data, size, count, context in
        guard let context else { return 0 }
        let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        switch transfer.receive(UnsafeRawBufferPointer(start: data, count: size * count)) {
        case .taken: return size * count
        case .pause: return haul_curl_pause()
        case .abort: return 0
        }
    }

    private static let receiveLine: haul_curl_data = { data, size, count, context in
        guard let context else { return 0 }
        let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
        let isTaken = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().receiveLine(bytes)
        return isTaken ? size * count : 0
    }
}
