import CSQLite

/// A prepared statement, and the row that it stands on.
final class SQLiteStatement: SQLRow {
    let handle: OpaquePointer
    /// For each of SQLite's parameter positions the number that the text gives it: `$3` is the third value.
    private let numbers: [Int]

    init(handle: OpaquePointer) {
        self.handle = handle
        numbers = (0..<Int(sqlite3_bind_parameter_count(handle))).map { position in
            guard let name = sqlite3_bind_parameter_name(handle, Int32(position + 1)) else { return position + 1 }
            return Int(String(cString: name).dropFirst()) ?? position + 1
        }
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ values: [SQLValue]) throws(StoreError) {
        for (position, number) in numbers.enumerated() {
            guard values.indices.contains(number - 1) else {
                throw .failed("a statement misses its value $\(number)")
            }
            let index = Int32(position + 1)
            let code =
                switch values[number - 1] {
                case .null: sqlite3_bind_null(handle, index)
                case .int(let value): sqlite3_bind_int64(handle, index, Int64(value))
                case .double(let value): sqlite3_bind_double(handle, index, value)
                case .text(var value):
                    value.withUTF8 { bytes in
                        bytes.withMemoryRebound(to: CChar.self) {
                            haul_sqlite_bind_text(handle, index, $0.baseAddress, Int32($0.count))
                        }
                    }
                case .blob(let value):
                    value.withUnsafeBytes { haul_sqlite_bind_blob(handle, index, $0.baseAddress, Int32($0.count)) }
                }
            guard code == SQLITE_OK else { throw .failed("a value of type $\(number) can't be bound (\(code))") }
        }
    }

    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func int(_ column: Int) -> Int { Int(sqlite3_column_int64(handle, Int32(column))) }
    func double(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }
    func optionalInt(_ column: Int) -> Int? { isNull(column) ? nil : int(column) }
    func optionalDouble(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }
    func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    func optionalBlob(_ column: Int) -> [UInt8]? { isNull(column) ? nil : blob(column) }

    func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(handle, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func blob(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    private func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }
}
