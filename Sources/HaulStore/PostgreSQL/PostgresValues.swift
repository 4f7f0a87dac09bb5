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

    private mutating func append(_ value: SQLValue) {
        let start = bytes.count
        var isBlob = false
        switch value {
        case .null: break
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value): bytes.append(contentsOf: String(value).utf8)
        case .text(let text):
            // PostgreSQL has no text with a zero in it. To Swift a zero and an accent after it are one letter.
            if text.utf8.contains(0) {
                for byte in text.utf8 { bytes.append(contentsOf: byte == 0 ? Array("\u{FFFD}".utf8) : [byte]) }
            } else {
                bytes.append(contentsOf: text.utf8)
            }
        case .blob(let blob):
            isBlob = true
            bytes.append(contentsOf: blob)
        }
        starts.append(value == .null ? nil : start)
        lengths.append(Int32(bytes.count - start))
        formats.append(isBlob ? 1 : 0)
        bytes.append(0)
    }

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
