/// Bodies of registrations.
enum JobBodies {
    /// One LIST job, or an array of several.
    static func list(site: String, count: Int, from first: Int) -> [UInt8] {
        let jobs = (0..<count).map { number in
            "{\"type\":0,\"src_siteid\":\"\(site)\",\"src_filepath\":\"/bench/\(first + number)\",\"queue\":\"bench\"}"
        }
        return Array((count == 1 ? jobs.joined() : "[" + jobs.joined(separator: ",") + "]").utf8)
    }

    /// One MKDIR job: its only element is done when its worker says so, without a listing.
    static func mkdir(site: String, number: Int) -> [UInt8] {
        Array(
            "{\"type\":4,\"src_siteid\":\"\(site)\",\"src_filepath\":\"\(path)\(number)\",\"queue\":\"bench\"}".utf8)
    }

    /// The numbers of the MKDIR jobs in the answer to a claim. A job's path and its element's are the same.
    static func numbers(in document: [UInt8]) -> Set<Int> {
        let key = Array("\"\(path)".utf8)
        return Set(
            document.places(of: key).compactMap { place in
                let digits = document[(place + key.count)...].prefix { (0x30...0x39).contains($0) }
                return Int(String(decoding: digits, as: UTF8.self))
            })
    }

    private static let path = "/bench/made-"
}
