import Foundation
import HaulHTTP
import HaulLogs
import Synchronization

/// An S3 service that keeps objects in memory, checks nothing, and goes wrong as it is told.
final class FakeBucket: Sendable {
    enum Fault: Sendable, Hashable {
        /// Every request is answered 503.
        case down
        /// No request is answered.
        case hangs
        /// Every second request is answered 500.
        case flaky
        /// The last byte of what is put is lost, and nobody told.
        case truncates
        /// Ranges are answered with other bytes than were asked for.
        case wrongRange
        /// Ranges are said to end where no number is larger.
        case endlessRange
        /// Ranges are answered with all of the object.
        case ignoresRange
        /// The last request of an upload in parts answers 200, and an error in its body.
        case failsLate
    }

    private struct State {
        var objects: [String: [UInt8]] = [:]
        var parts: [String: [Int: [UInt8]]] = [:]
        var uploads: [String: String] = [:]
        var faults: Set<Fault> = []
        /// What a key that is not taken has in it.
        var refused: [String] = []
        var requests = 0
        var largestBody = 0
        var hanging = 0
    }

    private let state: State0
    private let server: HTTPServer

    private final class State0: Sendable { let value = Mutex(State()) }

    init() throws {
        let state = State0()
        self.state = state
        server = HTTPServer(
            configuration: HTTPServerConfiguration(), admit: { _ in HTTPAdmission(bodyLimit: 64 << 20) },
            handler: { request in
                if state.value.withLock({ $0.faults.contains(.hangs) }) { state.value.withLock { $0.hanging += 1 } }
                // Until the fault is over, or the client leaves.
                while state.value.withLock({ $0.faults.contains(.hangs) }) {
                    do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
                }
                return state.value.withLock { Self.answer(request, &$0) }
            },
            errorBody: { status, reason, _ in HTTPResponse(status: status, text: reason) })
        try server.start()
    }

    func stop() async { await server.stop() }

    var address: BucketAddress {
        BucketAddress(
            endpoint: "http://127.0.0.1:\(server.port)", bucket: "b", prefix: "/logs/", region: "r", accessKey: "a",
            secretKey: "s")
    }
    var objects: [String: [UInt8]] { state.value.withLock { $0.objects } }
    var largestBody: Int { state.value.withLock { $0.largestBody } }
    /// Requests that hung, or still do.
    var hanging: Int { state.value.withLock { $0.hanging } }
    var openUploads: Int { state.value.withLock { $0.uploads.count } }

    func set(_ faults: Fault...) { state.value.withLock { $0.faults = Set(faults) } }

    /// Takes no objects that have one of these in their keys.
    func refuse(_ parts: [String]) { state.value.withLock { $0.refused = parts } }

    private static func answer(_ request: HTTPRequest, _ state: inout State) -> HTTPResponse {
        state.requests += 1
        state.largestBody = max(state.largestBody, request.body.count)
        if state.faults.contains(.down) { return error(503, "SlowDown") }
        if state.faults.contains(.flaky), state.requests % 2 == 0 { return error(500, "InternalError") }
        guard request.headers["Authorization"]?.hasPrefix("AWS4-HMAC-SHA256 ") == true else {
            return error(403, "AccessDenied")
        }
        let key = request.pathSegments.dropFirst().joined(separator: "/")
        var body = request.body
        if state.faults.contains(.truncates) { body = body.dropLast() }
        switch request.method {
        case "PUT":
            if state.refused.contains(where: key.contains) { return error(403, "AccessDenied") }
            if let upload = request.query("uploadId") {
                guard let number = request.query("partNumber").flatMap({ Int($0) }), state.uploads[upload] == key
                else { return error(404, "NoSuchUpload") }
                state.parts[upload, default: [:]][number] = body
                return HTTPResponse(headers: ["ETag": "\"\(number)\""])
            }
            state.objects[key] = body
            return HTTPResponse(headers: ["ETag": "\"1\""])
        case "POST":
            if request.query("uploads") != nil {
                let id = "up/\(state.requests)+="
                state.uploads[id] = key
                return document("<UploadId>\(id)</UploadId>")
            }
            guard let id = request.query("uploadId"), let parts = state.parts[id], state.uploads[id] == key else {
                return error(404, "NoSuchUpload")
            }
            if state.faults.contains(.failsLate) { return error(200, "InternalError") }
            state.objects[key] = parts.sorted { $0.key < $1.key }.flatMap(\.value)
            state.uploads[id] = nil
            return document("<ETag>&quot;1&quot;</ETag>")
        case "DELETE":
            if let id = request.query("uploadId") {
                state.uploads[id] = nil
                state.parts[id] = nil
            } else {
                state.objects[key] = nil
            }
            return HTTPResponse(status: 204)
        default: return read(request, key, state)
        }
    }

    private static func read(_ request: HTTPRequest, _ key: String, _ state: State) -> HTTPResponse {
        if let prefix = request.query("prefix") {
            if request.query("uploads") != nil {
                let open = state.uploads.filter { $0.value.hasPrefix(prefix) }
                return document(
                    open.map { "<Upload><Key>\($0.value)</Key><UploadId>\($0.key)</UploadId></Upload>" }.joined())
            }
            // Two of a page, so that there are several.
            let keys = state.objects.keys.filter { $0.hasPrefix(prefix) }.sorted().prefix(2)
            return document(keys.map { "<Contents><Key>\($0)</Key></Contents>" }.joined())
        }
        guard let object = state.objects[key] else { return error(404, "NoSuchKey") }
        if request.method == "HEAD" { return HTTPResponse(body: .bytes(object)) }
        guard let range = request.headers["Range"]?.dropFirst(6).split(separator: "-").map({ Int($0) ?? 0 }),
            range.count == 2, !state.faults.contains(.ignoresRange)
        else { return HTTPResponse(body: .bytes(object)) }
        guard range[0] < object.count else { return error(416, "InvalidRange") }
        let last = min(range[1], object.count - 1)
        let bytes = Array(object[range[0]...last])
        let shift = state.faults.contains(.wrongRange) ? 1 : 0
        let said = state.faults.contains(.endlessRange) ? Int.max : last + shift
        return HTTPResponse(
            status: 206, headers: ["Content-Range": "bytes \(range[0] + shift)-\(said)/\(object.count)"],
            body: .bytes(bytes))
    }

    private static func document(_ text: String) -> HTTPResponse {
        HTTPResponse(text: "<Result>\(text)</Result>", contentType: "application/xml")
    }

    private static func error(_ status: Int, _ code: String) -> HTTPResponse {
        HTTPResponse(status: status, text: "<Error><Code>\(code)</Code></Error>", contentType: "application/xml")
    }
}
