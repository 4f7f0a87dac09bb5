import Foundation

/// The tree that the demo moves: 500 files, some with names that break careless programs, an empty one, one of
/// 200 MiB, and an empty directory. The same at each run. Blocking.
enum SampleTree {
    static let files = 500
    static let largest = 200 << 20

    private static let oddNames = [
        "-rf", "name with spaces.txt", " leading and trailing ", "it's \"quoted\".txt", "caf\u{e9}.txt",
        "cafe\u{301}.txt", "数据.dat", "back\\slash", "50% & more?#[x]*.txt", "$HOME;`id`.txt", "a:b,c=d+e.txt",
        "\u{1F680}.bin",
    ]

    /// Makes it; `directory` must not be there.
    static func make(at directory: String) throws {
        try FileManager.default.createDirectory(
            atPath: directory + "/empty directory", withIntermediateDirectories: true)
        var random = Noise(seed: 42)
        try write(0, to: directory + "/empty file", &random)
        try write(largest, to: directory + "/large.bin", &random)
        let odd = directory + "/odd names"
        try FileManager.default.createDirectory(atPath: odd, withIntermediateDirectories: true)
        for (number, name) in oddNames.enumerated() { try write(100 + number, to: odd + "/" + name, &random) }
        for number in 0..<(files - oddNames.count - 2) {
            let run = "\(directory)/run \(number / 50)/\(number % 2 == 0 ? "raw" : "reduced")"
            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
            try write(Int(random.next() % 40_000), to: "\(run)/event-\(number).dat", &random)
        }
    }

    private static func write(_ count: Int, to path: String, _ random: inout Noise) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StackError("\(path): \(String(cString: strerror(errno)))") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var left = count
        while left > 0 {
            let piece = random.bytes(min(left, 1 << 20))
            try file.write(contentsOf: piece)
            left -= piece.count
        }
        try file.close()
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): content that does not compress, without asking the system for it.
    private struct Noise {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }

        mutating func bytes(_ count: Int) -> Data {
            var words = [UInt64](repeating: 0, count: (count + 7) / 8)
            for index in words.indices { words[index] = next() }
            return words.withUnsafeBytes { Data($0.prefix(count)) }
        }
    }
}
