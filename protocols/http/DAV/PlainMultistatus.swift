import Foundation
import HaulCurl

/// Reads the multistatus documents that servers write for machines, in a tenth of the time that ``Multistatus`` takes:
/// elements, attributes, namespaces and text, and nothing else. What has comments, references, CDATA, processing
/// instructions or a document type is not for it, nor what is not well-formed: ``Multistatus`` then says what it is.
struct PlainMultistatus {
    private struct NotPlain: Error {}

    private struct Binding {
        var depth: Int
        /// `p` of `xmlns:p`; empty for the default.
        var prefix: Range<Int>
        var isDAV: Bool
    }

    private static let deepest = 64
    private static let longestText = 64 << 10

    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var bindings: [Binding] = []
    /// The names of the elements that are open, as they were written.
    private var open: [Range<Int>] = []
    private var text = 0..<0
    private var sawRoot = false
    private var inPropstat = false
    private var resource: Resource?
    private var properties = Resource(href: "")
    private var propertyStatus: Int?
    /// Most files of a directory have the time of the one before.
    private var lastDate: (text: Range<Int>, seconds: Int?) = (0..<0, nil)

    /// The resources of a document, each told to `found`; false where it is not for this reader. Some may have been told by
    /// then.
    static func parse(_ document: Data, found: (Resource) -> Void) -> Bool {
        document.withUnsafeBytes { bytes in
            var reader = PlainMultistatus(bytes: bytes.bindMemory(to: UInt8.self))
            do { try reader.run(found) } catch { return false }
            return true
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func run(_ found: (Resource) -> Void) throws(NotPlain) {
        try skipDeclaration()
        while true {
            let start = at
            guard let tag = index(of: "<", from: at) else { break }
            at = tag + 1
            guard at < bytes.count else { throw NotPlain() }
            if open.isEmpty {
                guard isSpace(start..<tag) else { throw NotPlain() }
            } else if text.isEmpty {
                text = start..<tag
            }
            switch bytes[at] {
            case UInt8(ascii: "/"): try close(found)
            case UInt8(ascii: "!"), UInt8(ascii: "?"): throw NotPlain()
            default: try begin(found)
            }
            if open.isEmpty { break }
        }
        guard open.isEmpty, sawRoot, isSpace(at..<bytes.count) else { throw NotPlain() }
    }

    private mutating func skipDeclaration() throws(NotPlain) {
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        guard starts(at, with: "<?xml ") else { return }
        guard let end = index(of: ">", from: at), bytes[end - 1] == UInt8(ascii: "?") else { throw NotPlain() }
        at = end + 1
    }

    private mutating func begin(_ found: (Resource) -> Void) throws(NotPlain) {
        let name = try self.name()
        open.append(name)
        let depth = open.count
        guard depth <= Self.deepest else { throw NotPlain() }
        let isEmpty = try attributes(depth)
        text = at..<at
        if let local = local(name) { began(local, depth) } else if depth == 1 { throw NotPlain() }
        if isEmpty { try ended(name, found) }
    }

    private mutating func close(_ found: (Resource) -> Void) throws(NotPlain) {
        at += 1
        let name = try self.name()
        skipSpace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: ">"), let last = open.last, equal(last, name) else {
            throw NotPlain()
        }
        at += 1
        try ended(name, found)
        text = at..<at
    }

    // MARK: What elements mean

    private mutating func began(_ name: Range<Int>, _ depth: Int) {
        if depth == 2, equal(name, "response") {
            resource = Resource(href: "")
        } else if depth == 3, equal(name, "propstat") {
            inPropstat = true
            properties = Resource(href: "")
            propertyStatus = nil
        } else if inPropstat, equal(name, "collection") {
            properties.isCollection = true
        }
    }

    private mutating func ended(_ name: Range<Int>, _ found: (Resource) -> Void) throws(NotPlain) {
        let depth = open.count
        if let name = local(name) {
            if depth == 1 { sawRoot = equal(name, "multistatus") }
            if resource != nil { try ended(name, depth, found) }
        }
        open.removeLast()
        while let last = bindings.last, last.depth == depth { bindings.removeLast() }
    }

    private mutating func ended(_ name: Range<Int>, _ depth: Int, _ found: (Resource) -> Void) throws(NotPlain) {
        if inPropstat {
            if equal(name, "getcontentlength") {
                properties.size = Int(try value()).flatMap { $0 >= 0 ? $0 : nil }
            } else if equal(name, "getlastmodified") {
                properties.modified = try date()
            } else if equal(name, "status") {
                propertyStatus = try code()
            } else if depth == 3 {
                merge()
            }
        } else if depth == 3, equal(name, "href") {
            let href = try value()
            resource?.href = href
        } else if equal(name, "status") {
            let code = try code()
            resource?.status = code
        } else if depth == 2, equal(name, "response") {
            if let resource { found(resource) }
            resource = nil
        }
    }

    private mutating func merge() {
        inPropstat = false
        guard (200..<300).contains(propertyStatus ?? 200) else { return }
        if properties.isCollection { resource?.isCollection = true }
        if let size = properties.size { resource?.size = size }
        if let modified = properties.modified { resource?.modified = modified }
    }

    /// The text of the element that ends.
    private func trimmed() throws(NotPlain) -> Range<Int> {
        var range = text
        while let first = range.first, isSpace(bytes[first]) { range = (first + 1)..<range.upperBound }
        while let last = range.last, isSpace(bytes[last]) { range = range.lowerBound..<last }
        guard range.count <= Self.longestText,
            !range.contains(where: { bytes[$0] == UInt8(ascii: "&") || bytes[$0] >= 0x80 })
        else { throw NotPlain() }
        return range
    }

    private func value() throws(NotPlain) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[try trimmed()]), as: UTF8.self)
    }

    private mutating func date() throws(NotPlain) -> Int? {
        let range = try trimmed()
        if !range.isEmpty, equal(range, lastDate.text) { return lastDate.seconds }
        lastDate = (range, HTTPDate.seconds(try value()))
        return lastDate.seconds
    }

    /// The number in `HTTP/1.1 200 OK`.
    private func code() throws(NotPlain) -> Int? {
        let range = try trimmed()
        guard starts(range.lowerBound, with: "HTTP/1.1 200 ") else {
            return try value().split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        return 200
    }

    // MARK: Tags

    private mutating func name() throws(NotPlain) -> Range<Int> {
        let start = at
        while at < bytes.count, isName(bytes[at]) { at += 1 }
        guard at > start, at < bytes.count else { throw NotPlain() }
        return start..<at
    }

    /// Reads to the end of a start tag.
    /// - Returns: Whether the element ends with it.
    private mutating func attributes(_ depth: Int) throws(NotPlain) -> Bool {
        while true {
            skipSpace()
            guard at < bytes.count else { throw NotPlain() }
            if bytes[at] == UInt8(ascii: ">") {
                at += 1
                return false
            }
            if bytes[at] == UInt8(ascii: "/") {
                guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: ">") else { throw NotPlain() }
                at += 2
                return true
            }
            let name = try self.name()
            guard bytes[at] == UInt8(ascii: "="), at + 1 < bytes.count else { throw NotPlain() }
            let quote = bytes[at + 1]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = bytes[(at + 2)...].firstIndex(of: quote)
            else { throw NotPlain() }
            let value = (at + 2)..<end
            at = end + 1
            guard !value.contains(where: { bytes[$0] == UInt8(ascii: "&") || bytes[$0] == UInt8(ascii: "<") }) else {
                throw NotPlain()
            }
            if equal(name, "xmlns") {
                bindings.append(Binding(depth: depth, prefix: 0..<0, isDAV: equal(value, "DAV:")))
            } else if starts(name.lowerBound, with: "xmlns:"), name.count > 6 {
                let prefix = (name.lowerBound + 6)..<name.upperBound
                bindings.append(Binding(depth: depth, prefix: prefix, isDAV: equal(value, "DAV:")))
            }
        }
    }

    /// The name without its prefix where it is one of WebDAV's own.
    private func local(_ name: Range<Int>) -> Range<Int>? {
        let colon = name.first { bytes[$0] == UInt8(ascii: ":") }
        let prefix = colon.map { name.lowerBound..<$0 } ?? 0..<0
        guard let binding = bindings.last(where: { equal($0.prefix, prefix) }), binding.isDAV else { return nil }
        return (colon.map { $0 + 1 } ?? name.lowerBound)..<name.upperBound
    }

    // MARK: Bytes

    private func index(of character: Unicode.Scalar, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(character.value), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private mutating func skipSpace() { while at < bytes.count, isSpace(bytes[at]) { at += 1 } }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

    private func isSpace(_ range: Range<Int>) -> Bool { range.allSatisfy { isSpace(bytes[$0]) } }

    private func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private func equal(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count, let base = bytes.baseAddress else { return false }
        return memcmp(base + one.lowerBound, base + other.lowerBound, one.count) == 0
    }

    private func equal(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && starts(range.lowerBound, with: text)
    }

    private func starts(_ start: Int, with text: StaticString) -> Bool {
        guard let base = bytes.baseAddress, start + text.utf8CodeUnitCount <= bytes.count else { return false }
        return memcmp(base + start, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
}
