/// Values as libpq takes them: integers, numbers and texts as text that ends with a zero, blobs as they are.
struct PostgresValues {
    private var bytes: [UInt8] = []
    /// Where each begins; nil is NULL.
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [SQLValue]) {
        bytes.reserveCapacity(values.count * 16)
        for value in values { append(value) }
    }

    /// Sets of values as arrays, a parameter each.
    init(arraysOf sets: ArraySlice<[SQLValue]>) {
        let columns = sets.first?.count ?? 0
        bytes.reserveCapacity(sets.count * columns * 12)
        for column in 0..<columns {
            let start = bytes.count
            bytes.append(UInt8(ascii: "{"))
            for values in sets {
                appendItem(values[column])
                bytes.append(UInt8(ascii: ","))
            }
            if sets.isEmpty { bytes.append(UInt8(ascii: "}")) } else { bytes[bytes.count - 1] = UInt8(ascii: "}") }
            end(start, isNull: false, isBlob: false)
        }
    }

    private mutating func append(_ value: SQLValue) {
        let start = bytes.count
        var (isNull, isBlob) = (false, false)
        switch value {
        case .null: isNull = true
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value): bytes.append(contentsOf: String(value).utf8)
        case .text(let text): for byte in text.utf8 { append(byte) }
        case .blob(let blob):
            isBlob = true
            bytes.append(contentsOf: blob)
        }
        end(start, isNull: isNull, isBlob: isBlob)
    }

    private mutating func end(_ start: Int, isNull: Bool, isBlob: Bool) {
        starts.append(isNull ? nil : start)
        lengths.append(Int32(bytes.count - start))
        formats.append(isBlob ? 1 : 0)
        bytes.append(0)
    }

    /// PostgreSQL has no text with a zero in it.
    private mutating func append(_ byte: UInt8) {
        if byte == 0 { bytes.append(contentsOf: "\u{FFFD}".utf8) } else { bytes.append(byte) }
    }

    /// A value as it stands in an array.
    private mutating func appendItem(_ value: SQLValue) {
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        switch value {
        case .null: bytes.append(contentsOf: "NULL".utf8)
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value): bytes.append(contentsOf: String(value).utf8)
        case .text(let text):
            bytes.append(quote)
            for byte in text.utf8 {
                if byte == quote || byte == backslash { bytes.append(backslash) }
                append(byte)
            }
            bytes.append(quote)
        case .blob(let blob):
            bytes.append(contentsOf: "\"\\\\x".utf8)
            for byte in blob {
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            }
            bytes.append(quote)
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    /// Calls `body` with what libpq's functions take: count, values, lengths, formats.
    func withPointers<T>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>
        ) -> T
    ) -> T {
        bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                withUnsafeTemporaryAllocation(
                    of: UnsafePointer<CChar>?.self, capacity: max(1, starts.count)
                ) { pointers in
                    pointers.initialize(repeating: nil)
                    for (index, start) in starts.enumerated() {
                        pointers[index] = start.flatMap { characters.baseAddress?.advanced(by: $0) }
                    }
                    return lengths.withUnsafeBufferPointer { lengths in
                        formats.withUnsafeBufferPointer { formats in
                            withPlaces(pointers, lengths, formats, body)
                        }
                    }
                }
            }
        }
    }

    /// An empty array has no place; libpq reads nothing of it.
    private func withPlaces<T>(
        _ pointers: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>, _ lengths: UnsafeBufferPointer<Int32>,
        _ formats: UnsafeBufferPointer<Int32>,
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>
        ) -> T
    ) -> T {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1) { nothing in
            nothing.initialize(repeating: 0)
            guard let pointer = pointers.baseAddress, let none = nothing.baseAddress else {
                preconditionFailure("a buffer of at least one has a place")
            }
            return body(
                Int32(starts.count), pointer, lengths.baseAddress ?? .init(none), formats.baseAddress ?? .init(none))
        }
    }
}
