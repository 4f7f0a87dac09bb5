import Foundation

/// What is copied: many small files, a hundred to a directory, or one large one. Content that no server can compress.
struct SampleData {
    var files: Int
    /// Bytes of each.
    var size: Int

    private static let filesPerDirectory = 100
    private static let piece = 4 << 20

    /// The files' paths below the folder.
    var names: [String] {
        if files == 1 { return ["large.bin"] }
        return (0..<files).map { "d\($0 / Self.filesPerDirectory)/file-\($0).bin" }
    }

    var directories: [String] {
        files == 1 ? [] : (0...(files - 1) / Self.filesPerDirectory).map { "d\($0)" }
    }

    /// Writes them below `folder`, which is there.
    func write(into folder: String) throws {
        for directory in directories {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(directory)", withIntermediateDirectories: true)
            chmod("\(folder)/\(directory)", 0o777)
        }
        var generator = SystemRandomNumberGenerator()
        var content = Data(capacity: min(size, Self.piece))
        while content.count < min(size, Self.piece) {
            withUnsafeBytes(of: generator.next()) { content.append(contentsOf: $0) }
        }
        for name in names {
            guard let file = fopen("\(folder)/\(name)", "w") else {
                throw BenchError(message: "\(folder)/\(name) cannot be written")
            }
            defer { fclose(file) }
            var left = size
            while left > 0 {
                let count = min(left, content.count)
                guard content.withUnsafeBytes({ fwrite($0.baseAddress, 1, count, file) }) == count else {
                    throw BenchError(message: "\(folder)/\(name) cannot be written: the disk is full?")
                }
                left -= count
            }
        }
    }

    /// Fails unless all of them stand below `folder`, each with its size.
    func check(_ folder: String, after what: String) throws {
        for name in names {
            var status = stat()
            guard stat("\(folder)/\(name)", &status) == 0, status.st_size == size else {
                throw BenchError(message: "\(what): \(name) did not arrive whole")
            }
        }
    }
}
