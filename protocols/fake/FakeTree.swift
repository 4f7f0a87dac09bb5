import HaulModel
import HaulProtocol

/// A generated tree: files of 1 KiB, 500 in each directory `d0000`, `d0001` ..., streamed and never held.
struct FakeTree {
    private static let inDirectory = 500

    let files: Int

    func list(_ source: String, _ report: ElementReport) async throws {
        let top = ListingPath.directory(source)
        let directories = (files + Self.inDirectory - 1) / Self.inDirectory
        var next = 0
        repeat {
            let end = min(directories, next + BackendLine.mostEntries)
            let names = (next..<end).map { ListingEntry(name: Self.name($0), kind: .directory) }
            try await report.entries(directory: top, names)
            next = end
        } while next < directories
        for index in 0..<directories {
            let count = min(Self.inDirectory, files - index * Self.inDirectory)
            let entries = (0..<count).map { ListingEntry(name: "f\(Self.pad($0)).dat", kind: .file, size: 1024) }
            try await report.entries(directory: ListingPath.child(top, Self.name(index)), entries)
        }
    }

    private static func name(_ index: Int) -> String { "d" + pad(index) }

    private static func pad(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
