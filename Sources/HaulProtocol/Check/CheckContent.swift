import Foundation
import HaulModel

/// Large files that are nowhere like themselves, and whether what came of them is the same.
enum CheckContent {
    private static let blocking = BlockingQueue(label: "haul.check.files")
    private static let page = 4096

    /// Writes a file of random pages, each of which holds its number: none stands for another, and none is empty.
    static func write(_ path: String, bytes: Int) async throws {
        try await blocking.run {
            var generator = SystemRandomNumberGenerator()
            var block = Data(capacity: page * 1024)
            for _ in 0..<(page * 1024 / 8) {
                withUnsafeBytes(of: generator.next() as UInt64) { block.append(contentsOf: $0) }
            }
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw CheckFailure("\(path) cannot be written")
            }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            var written = 0
            while written < bytes {
                block.withUnsafeMutableBytes { buffer in
                    for start in stride(from: 0, to: buffer.count, by: page) {
                        buffer.storeBytes(of: UInt64(written + start), toByteOffset: start, as: UInt64.self)
                    }
                }
                let piece = block.prefix(bytes - written)
                try handle.write(contentsOf: piece)
                written += piece.count
            }
            try handle.close()
        }
    }

    /// Fails unless a file of the site is byte for byte one of this machine: it is read from the site's disk where that is
    /// this machine's, else fetched.
    static func expect(_ site: CheckSite, _ name: String, like file: String) async throws {
        if let path = site.onDisk(site.path(name)), access(path, R_OK) == 0 {
            return try await compare(path, file, name)
        }
        let back = site.local("fetched-\(UInt32.random(in: 0 ... .max))")
        defer { unlink(back) }
        try await site.ok(.get, site.path(name), back)
        try await compare(back, file, name)
    }

    static func compare(_ path: String, _ file: String, _ name: String) async throws {
        let same = try await blocking.run { FileManager.default.contentsEqual(atPath: path, andPath: file) }
        if !same { throw CheckFailure("\(name) differs from what was sent") }
    }
}
