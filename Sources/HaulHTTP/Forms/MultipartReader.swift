/// Reads the parts of a `multipart/form-data` body (RFC 7578; RFC 2046, 5.1), one after the other, without copying them.
struct MultipartReader {
    struct Part {
        var name: String
        /// Of the body.
        var content: ArraySlice<UInt8>
    }

    /// Bytes that the headers of a part may have.
    private static let headerLimit = 4096

    private let body: [UInt8]
    /// A line end, two dashes and the boundary.
    private let delimiter: [UInt8]
    /// Behind the last delimiter; nil before the first one was read.
    private var place: Int?

    init(_ body: [UInt8], boundary: String) {
        self.body = body
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// The boundary that a `Content-Type` names: 1 to 70 characters.
    static func boundary(of contentType: String) -> String? {
        guard let value = parameter("boundary", of: contentType), (1...70).contains(value.utf8.count) else {
            return nil
        }
        return value
    }

    /// - Returns: nil behind the last part.
    mutating func next() throws(FormProblem) -> Part? {
        var start: Int
        if let place {
            start = place
        } else {
            // The first delimiter needs no line before it; what stands before it counts for nothing.
            let opening = Array(delimiter.dropFirst(2))
            if body.starts(with: opening) {
                start = opening.count
            } else if let found = Self.find(delimiter, in: body, from: 0) {
                start = found + delimiter.count
            } else {
                throw .malformed("it has no part: its boundary stands nowhere")
            }
        }
        if body[start...].starts(with: Array("--".utf8)) { return nil }
        while start < body.count, body[start] == 0x20 || body[start] == 0x09 { start += 1 }
        guard body[start...].starts(with: Array("\r\n".utf8)) else {
            throw .malformed("a boundary does not end its line")
        }
        // Without headers the blank line follows at once.
        guard let blank = Self.find(Array("\r\n\r\n".utf8), in: body, from: start), blank - start <= Self.headerLimit
        else {
            throw .malformed("the header of a part has no end, or is longer than \(Self.headerLimit) bytes")
        }
        let header = body[min(start + 2, blank)..<blank]
        guard let end = Self.find(delimiter, in: body, from: blank + 2) else {
            throw .malformed("its last part has no end")
        }
        place = end + delimiter.count
        return Part(name: try Self.name(header), content: body[min(blank + 4, end)..<end])
    }

    private static func name(_ header: ArraySlice<UInt8>) throws(FormProblem) -> String {
        guard let text = String(validating: header, as: UTF8.self) else {
            throw .malformed("a part's header is no UTF-8")
        }
        // A line end of two bytes is one character.
        for line in text.split(separator: "\r\n") {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2, pair[0].lowercased() == "content-disposition",
                let name = parameter("name", of: String(pair[1]))
            {
                return name
            }
        }
        throw .malformed("a part has no name")
    }

    /// A parameter of a header's value, as a token or quoted.
    private static func parameter(_ name: String, of value: String) -> String? {
        var rest = value[...]
        while let mark = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: mark)...].drop { $0 == " " || $0 == "\t" }
            guard let equals = rest.firstIndex(where: { $0 == "=" || $0 == ";" }), rest[equals] == "=" else { continue }
            let key = rest[..<equals]
            rest = rest[rest.index(after: equals)...]
            var found = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while let character = rest.popFirst(), character != "\"" {
                    // Browsers escape a quote as %22, others with a backslash.
                    if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                        found.append(next)
                        rest.removeFirst()
                    } else {
                        found.append(character)
                    }
                }
            } else {
                found = String(rest.prefix { $0 != ";" && $0 != " " && $0 != "\t" })
            }
            if key.lowercased() == name { return found }
        }
        return nil
    }

    /// Where a text stands in bytes. Linear in what is usual; a boundary of one letter repeated makes it a little slower.
    private static func find(_ text: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard start <= bytes.count else { return nil }
        return bytes.withUnsafeBufferPointer { all in
            text.withUnsafeBufferPointer { wanted in
                var place = start
                while place + wanted.count <= all.count {
                    if all[place] == wanted[0], all[(place + 1)..<(place + wanted.count)].elementsEqual(wanted[1...]) {
                        return place
                    }
                    place += 1
                }
                return nil
            }
        }
    }
}
