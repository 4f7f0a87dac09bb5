import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import HaulWorker

/// Jobs as a server hands them out.
enum Claims {
    /// - Parameters:
    ///   - paths: an element each, from `first`.
    ///   - to: the destinations' folder; nil where there is none.
    static func job(
        _ id: Int, _ paths: [String], type: JobType = .copy, from: String = "fake", to: String? = "fake",
        destinations: [String]? = nil, options: String = "{}", attempt: Int = 1, size: Int = 0,
        protocolName: String? = nil, endpoints: (from: String, to: String)? = nil,
        tag: String = "", first: Int = 0
    ) -> String {
        let elements = paths.enumerated().map { place, path in
            let index = first + place
            let destination = destinations?[place] ?? "/d\(index)"
            return """
                {"id":\(index),"job_id":\(id),"src_filepath":"\(path)",
                "dst_filepath":\(to == nil ? "null" : "\"\(destination)\""),
                "size":\(size),"max_tries":2,"attempts":\(attempt - 1),"forgiven":0,"type":\(type.rawValue),"status":3,
                "timestamp":"2026-01-01T00:00:00.000Z","token":"token-\(id).\(index)","attempt":\(attempt),
                "lease_until":"2026-01-01T00:01:00.000Z"}
                """
        }
        return """
            {"id":\(id),"user_id":1,"src_siteid":1,"dst_siteid":\(to == nil ? "null" : "2"),"src_filepath":"/s",
            "dst_filepath":null,"type":\(type.rawValue),"status":3,"extra_opts":\(options),"priority":5,
            "protocol":"\(protocolName ?? from)","log_uid":"uid\(id)\(tag)","timestamp":"2026-01-01T00:00:00.000Z",
            "queue":"default","max_tries":2,"src_site":\(site(1, from, endpoints?.from)),
            "dst_site":\(to.map { site(2, $0, endpoints?.to) } ?? "null"),
            "elements":[\(elements.joined(separator: ","))]}
            """
    }

    private static func site(_ id: Int, _ name: String, _ endpoint: String?) -> String {
        let endpoints = endpoint.map { "[\"\($0)\"]" } ?? "[]"
        return #"{"id":\#(id),"name":"\#(name)-\#(id)","protocol":"\#(name)","endpoints":\#(endpoints),"options":{}}"#
    }

    /// The same as values.
    static func assignments(_ jobs: String...) throws -> [Assignment] {
        let text = "[\(jobs.joined(separator: ","))]"
        return Claimed.read(try JSONDecoder().decode([ClaimedJob].self, from: Data(text.utf8))).compactMap {
            if case .work(let assignment) = $0 { assignment } else { nil }
        }
    }
}
