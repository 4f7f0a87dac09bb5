import Foundation
import Support

/// Files to move: the same for the same seed, no two alike.
struct Tree: Sendable {
    /// Paths below the tree, with their bytes.
    let files: [String: Data]
    let emptyDirectories = ["empty", "deep/er/empty"]

    /// - Parameter large: bytes of its largest file, which takes a while to move.
    init(_ chance: Seeded, large: Int) {
        var files: [String: Data] = [:]
        for (number, size) in [0, 1, 700, 4096, 70_001, 300_000, large].enumerated() {
            let folder = ["", "deep/", "deep/er/", "wide ü/"][number % 4]
            files["\(folder)file \(number)"] = Self.bytes(size, chance)
        }
        self.files = files
    }

    /// A block that repeats itself, each time with another number in front.
    private static func bytes(_ size: Int, _ chance: Seeded) -> Data {
        let block = Data(chance.bytes(4096))
        var data = Data(capacity: size + block.count)
        var number: UInt64 = chance.next()
        while data.count < size {
            withUnsafeBytes(of: number) { data.append(contentsOf: $0) }
            data.append(block)
            number &+= 1
        }
        return data.prefix(size)
    }

    /// Writes it to a directory that is not there yet.
    func write(to path: String) throws {
        for directory in emptyDirectories {
            try FileManager.default.createDirectory(atPath: "\(path)/\(directory)", withIntermediateDirectories: true)
        }
        for (name, data) in files {
            let file = URL(fileURLWithPath: "\(path)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: file)
        }
    }

    /// What is wrong with a copy.
    func problems(at path: String) -> [String] {
        var problems: [String] = []
        for (name, data) in files {
            let found = FileManager.default.contents(atPath: "\(path)/\(name)")
            if found == nil { problems.append("\(path)/\(name) is missing") }
            if let found, found != data {
                problems.append("\(path)/\(name) differs: \(found.count) of \(data.count) bytes")
            }
        }
        for directory in emptyDirectories {
            var isDirectory: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: "\(path)/\(directory)", isDirectory: &isDirectory)
            if !isThere || !isDirectory.boolValue { problems.append("\(path)/\(directory)/ is missing") }
        }
        let wanted = Set(files.keys)
        for name in Self.files(below: path) where !wanted.contains(name) {
            problems.append("\(path)/\(name) is too many")
        }
        return problems
    }

    /// Every file below a directory.
    static func files(below path: String) -> [String] {
        (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }
    }
}
