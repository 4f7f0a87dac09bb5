import Foundation
import HaulModel

/// A chunk of a listing as the NDJSON of ``ListingLine``, written by hand: a listing has millions of lines, and an encoder
/// a line costs more than all else that a worker does.
enum ListingLines {
    /// A line an entry; an empty directory is a line without a name.
    static func data(directory: String, entries: [ListingEntry]) -> Data {
        var bytes: [UInt8] = []
        bytes.reserveCapacity((entries.count + 1) * 128)
        var head: [UInt8] = Array("{\"dir\":".utf8)
        quote(directory, into: &head)
        if entries.isEmpty {
            bytes += head
            bytes += Array("}\n".utf8)
        }
        for entry in entries {
            bytes += head
            bytes += Array(",\"name\":".utf8)
            quote(entry.name, into: &bytes)
            bytes += Array(
                ",\"st_size\":\(entry.size),\"st_mode\":\(entry.mode),\"st_mtime\":\(entry.modified)}\n".utf8)
        }
        return Data(bytes)
    }

    /// A JSON string (RFC 8259, section 7).
    private static func quote(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8)
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
