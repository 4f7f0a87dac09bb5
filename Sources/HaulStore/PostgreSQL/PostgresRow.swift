import CPostgreSQL
import Glibc

/// A row of a result, whose columns come as text.
final class PostgresRow: SQLRow {
    private let result: OpaquePointer
    private(set) var index: Int32 = 0
    private let count: Int32

    /// - Parameter result: the caller's to clear, after the last use of this.
    init(_ result: OpaquePointer) {
        self.result = result
        count = PQntuples(result)
    }

    func forEach(_ body: (any SQLRow) throws -> Void) rethrows {
        while index < count {
            try body(self)
            index += 1
        }
    }

    private func start(_ column: Int) -> UnsafeMutablePointer<CChar>? {
        PQgetisnull(result, index, Int32(column)) == 1 ? nil : PQgetvalue(result, index, Int32(column))
    }

    func int(_ column: Int) -> Int { optionalInt(column) ?? 0 }
    func double(_ column: Int) -> Double { optionalDouble(column) ?? 0 }
    func text(_ column: Int) -> String { optionalText(column) ?? "" }
    func blob(_ column: Int) -> [UInt8] { optionalBlob(column) ?? [] }

    func optionalInt(_ column: Int) -> Int? {
        guard let start = start(column) else { return nil }
        // What is true or false comes as a letter.
        switch UInt8(bitPattern: start[0]) {
        case UInt8(ascii: "t"): return 1
        case UInt8(ascii: "f"): return 0
        default: return Int(atoll(start))
        }
    }

    func optionalDouble(_ column: Int) -> Double? { start(column).map { atof($0) } }

    func optionalText(_ column: Int) -> String? {
        guard let start = start(column) else { return nil }
        let length = Int(PQgetlength(result, index, Int32(column)))
        return start.withMemoryRebound(to: UInt8.self, capacity: length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
    }

    /// A blob comes as `\x` and two digits a byte.
    func optionalBlob(_ column: Int) -> [UInt8]? {
        guard let start = start(column) else { return nil }
        let length = Int(PQgetlength(result, index, Int32(column)))
        return stride(from: 2, to: length - 1, by: 2).map {
            Self.digit(start[$0]) << 4 | Self.digit(start[$0 + 1])
        }
    }

    private static func digit(_ character: CChar) -> UInt8 {
        let code = UInt8(bitPattern: character)
        return code >= UInt8(ascii: "a") ? code - UInt8(ascii: "a") + 10 : code - UInt8(ascii: "0")
    }
}
