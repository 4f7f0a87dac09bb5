import Glibc
import HaulModel

/// The numbered file of a job that is being appended to: `attempts-1.log`, then `attempts-2.log` ...; another server's than
/// the first is `attempts-s2-1.log`.
struct NumberedFile {
    private let logUID: String
    private let folders: JobFolders
    private let fullAt: Int
    private(set) var file: OpenFile
    private(set) var name: String
    /// When the first log of this file was on its way.
    private(set) var opened = ContinuousClock().now
    private var number: Int
    /// Bytes in the file.
    private var end: Int
    /// Bytes that were in the file when the group began.
    private var start: Int
    /// What is to be written at `end`.
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// In a flat folder files go once they are uploaded, and numbers would come again.
    private static func name(_ number: Int, _ folders: JobFolders) -> String {
        guard folders.isFlat else { return "\(folders.own("attempts"))-\(number).log" }
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return "\(folders.own("attempts"))-\(String(repeating: "0", count: 16 - digits.count))\(digits).log"
    }

    /// Opens the last numbered file of a job, or makes the first. After a crash it may end with half a log that nobody
    /// points at: what comes next begins on a line of its own.
    init(logUID: String, folders: JobFolders, fullAt: Int) throws(LogError) {
        self.logUID = logUID
        self.folders = folders
        self.fullAt = fullAt
        var number = 1
        var status = stat()
        while !folders.isFlat, stat(folders.path(logUID, Self.name(number + 1, folders)), &status) == 0 { number += 1 }
        self.number = number
        name = Self.name(number, folders)
        file = try folders.create(logUID, name, exclusively: folders.isFlat)
        end = try file.size()
        if end > 0, try file.read(at: end - 1, count: 1) != [0x0A] { buffer = [0x0A] }
        start = end
    }

    /// Marks where `takeBack` returns to.
    mutating func begin() { start = end }

    /// Adds a header and a text; true if a new file was begun for it.
    mutating func add(_ record: LogRecord) throws(LogError) -> Attempt.LogPlace {
        if end + buffer.count >= fullAt { try roll() }
        var note = ""
        if case .elsewhere(let place) = record.content { note = ", \(place.length) bytes in \(place.file)" }
        buffer += LogHeader.line(record.key, worker: record.worker, time: record.time, note: note)
        switch record.content {
        case .elsewhere(let place): return place
        case .text(let text):
            let place = Attempt.LogPlace(file: name, offset: end + buffer.count, length: text.count)
            buffer += text
            if let last = text.last, last != 0x0A { buffer.append(0x0A) }
            if buffer.count >= Self.bufferSize { try flush() }
            return place
        }
    }

    mutating func flush() throws(LogError) {
        try file.write(buffer[...], at: end)
        end += buffer.count
        buffer.removeAll(keepingCapacity: buffer.count <= Self.bufferSize)
    }

    /// Cuts off what the group wrote. What stays where that fails too is followed by a new line, by the next `init`.
    func takeBack() { file.cut(to: start) }

    private mutating func roll() throws(LogError) {
        try flush()
        // The next file takes this one's place among the open ones: its end is made durable here.
        try folders.makeDurable(file, logUID, name)
        let next = Self.name(number + 1, folders)
        file = try folders.create(logUID, next, exclusively: folders.isFlat)
        name = next
        opened = ContinuousClock().now
        number += 1
        end = try file.size()
        start = end
    }
}
