import CCurl

// What a request is to a libcurl handle, but for its body and its answer's.

extension CurlCall {
    func set(on easy: UnsafeMutableRawPointer) -> [CURLcode] {
        var codes = [
            haul_curl_set_text(easy, CURLOPT_URL, url),
            haul_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            haul_curl_set_text(easy, CURLOPT_USERAGENT, "haul"),
            haul_curl_set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            haul_curl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            // A name server that is slow must not hold up the others when this one is given up.
            haul_curl_set_long(easy, CURLOPT_QUICK_EXIT, 1),
            haul_curl_set_long(easy, CURLOPT_PATH_AS_IS, 1),
            haul_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            // Servers close what rests; one that is asked at that moment has to be asked again.
            haul_curl_set_long(easy, CURLOPT_MAXAGE_CONN, 30),
            haul_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT, connectSeconds),
            haul_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1),
            haul_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, stallSeconds),
        ]
        if let bandwidth {
            codes.append(haul_curl_set_size(easy, CURLOPT_MAX_RECV_SPEED_LARGE, Int64(max(1, bandwidth))))
            codes.append(haul_curl_set_size(easy, CURLOPT_MAX_SEND_SPEED_LARGE, Int64(max(1, bandwidth))))
        }
        if followsRedirects {
            // Says where it would go, and goes nowhere: `CurlRedirects`.
            codes.append(haul_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 1))
            codes.append(haul_curl_set_long(easy, CURLOPT_MAXREDIRS, 0))
        }
        if from > 0 { codes.append(haul_curl_set_size(easy, CURLOPT_RESUME_FROM_LARGE, Int64(from))) }
        return codes
    }
}

extension CurlConnection {
    func set(on easy: UnsafeMutableRawPointer) -> [CURLcode] {
        var codes: [CURLcode] = []
        if let proxy {
            codes.append(haul_curl_set_text(easy, CURLOPT_PROXY, proxy))
        } else {
            // The environment's proxies are for other programs.
            codes.append(haul_curl_set_text(easy, CURLOPT_NOPROXY, "*"))
        }
        if let authorities = authorities ?? CurlSystem.authorities {
            codes.append(haul_curl_set_text(easy, CURLOPT_CAINFO, authorities))
        }
        if let folder = CurlSystem.authoritiesFolder {
            codes.append(haul_curl_set_text(easy, CURLOPT_CAPATH, folder))
        }
        if let password {
            codes.append(haul_curl_set_secret(easy, 0, password))
        } else if let bearer {
            codes.append(haul_curl_set_secret(easy, 1, bearer))
        }
        return codes
    }
}
