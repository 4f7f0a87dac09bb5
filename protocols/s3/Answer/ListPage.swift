import Foundation
import HaulCurl

/// One answer of ListObjectsV2: up to 1,000 keys and, where a delimiter was asked for, what they have in common.
struct ListPage: Sendable, Equatable {
    struct Object: Sendable, Equatable {
        /// As bytes: what a key may hold that XML may not is percent-encoded in the answer (`encoding-type=url`).
        var key: [UInt8]
        var size: Int
        /// Seconds since 1970.
        var modified: Int?
        var etag: String
    }

    /// Why an answer is none.
    struct Broken: Error, Equatable {
        let reason: String
    }

    var objects: [Object] = []
    /// Each ends in the delimiter.
    var prefixes: [[UInt8]] = []
    /// What the next page is asked for with; nil for the last.
    var next: String?

    /// A page is 1,000 at most; whoever sends more wants to fill memory.
    private static let most = 10_000

    static func parse(_ data: Data) throws(Broken) -> ListPage {
        guard let root = XMLTree.parse(data) else { throw Broken(reason: "it is no XML, or ends in the middle") }
        guard root.name == "ListBucketResult" else { throw Broken(reason: "it is <\(root.name.prefix(64))>") }
        let contents = root.children("Contents")
        let common = root.children("CommonPrefixes")
        guard contents.count + common.count <= most else { throw Broken(reason: "it has more than \(most) keys") }
        let encoded = root["EncodingType"].lowercased() == "url"
        func bytes(_ text: String) -> [UInt8] { encoded ? decoded(text) : Array(text.utf8) }
        var page = ListPage()
        for element in contents {
            guard let size = Int(element["Size"]), size >= 0, let key = element.child("Key")?.text, !key.isEmpty else {
                throw Broken(reason: "a key has no name or no size")
            }
            page.objects.append(
                Object(
                    key: bytes(key), size: size, modified: seconds(element["LastModified"]),
                    etag: element["ETag"]))
        }
        for element in common { page.prefixes += element.children("Prefix").map { bytes($0.text) } }
        if root["IsTruncated"].lowercased() == "true" {
            guard let next = root.child("NextContinuationToken")?.text, !next.isEmpty else {
                throw Broken(reason: "it says that there is more, and not how to ask for it")
            }
            page.next = next
        }
        return page
    }

    /// As in a form: servers write a blank as `+`, and a plus always as `%2B`.
    private static func decoded(_ text: String) -> [UInt8] {
        PercentEncoding.decode(text.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
    }

    /// `2009-10-12T17:50:30.000Z`, in seconds since 1970.
    static func seconds(_ text: String) -> Int? {
        let digits = text.split { !$0.isNumber }.map { Int($0) ?? -1 }
        guard text.utf8.count >= 20, text.utf8.count <= 40, text.utf8.last == UInt8(ascii: "Z"), digits.count >= 6
        else { return nil }
        return HTTPDate.seconds(
            year: digits[0], month: digits[1], day: digits[2], hour: digits[3], minute: digits[4], second: digits[5])
    }
}
