import HaulHTTP

/// Prints a list of the server's as it comes.
enum Rows {
    /// - Returns: how many there were.
    @discardableResult
    static func print<T: Decodable & Sendable>(
        _ columns: [Table.Column], _ path: String, _ query: [(String, String)], _ type: T.Type,
        _ invocation: Invocation,
        row: @escaping @Sendable (T) -> [String]
    ) async throws -> Int {
        let sheet = Sheet(columns, invocation.output)
        let isJSON = invocation.isJSON
        try await invocation.server().items(path, query) { bytes in
            if isJSON {
                await sheet.raw(bytes)
            } else {
                await sheet.add(row(try ServerConnection.decode(type, bytes)))
            }
        }
        return await sheet.finish()
    }

    /// The table, between the pieces of an answer. What is printed is collected, so that a line is not a write.
    private actor Sheet {
        private var table: Table
        private let output: Output
        private var lines: [UInt8] = []
        private var count = 0

        init(_ columns: [Table.Column], _ output: Output) {
            table = Table(columns, on: output)
            self.output = output
        }

        func raw(_ bytes: [UInt8]) async {
            count += 1
            lines += bytes + [0x0A]
            guard lines.count > 32 << 10 else { return }
            let ready = lines
            lines = []
            await output.bytes(ready)
        }

        func add(_ row: [String]) async {
            count += 1
            var table = table
            await table.add(row)
            self.table = table
        }

        func finish() async -> Int {
            await output.bytes(lines)
            var table = table
            await table.flush()
            return count
        }
    }
}

/// Prints what is known of one thing: a fact a line.
enum Facts {
    static func print(_ facts: [(String, String)], _ invocation: Invocation) async {
        let width = facts.map(\.0.count).max() ?? 0
        let text = facts.map { name, value in
            let name = invocation.output.isTerminal ? Columns.pad(name, to: width) + "  " : name + "\t"
            return name + Printable.line(value) + "\n"
        }
        await invocation.output.text(text.joined())
    }
}
