import HaulModel

/// What follows from a listing, said in another way than the engine does: of the whole listing at once, without a state.
enum Consequences {
    /// What has to be there of an element.
    struct Deed: Hashable, CustomStringConvertible {
        var type: JobType
        var source: String
        var destination: String?
        var size = 0
        var depth = 0

        var description: String {
            "\(type) \(source)\(destination.map { " to \($0)" } ?? "") size \(size) depth \(depth)"
        }
    }

    /// What is there that does not follow from a listing, or follows twice; and, once all is there, what is missing.
    ///
    /// - Parameter elements: of the job but the LIST itself.
    static func faults(_ elements: [Element], of job: Job, _ lines: [ListingLine], isComplete: Bool) -> [String] {
        var left = counts(deeds(of: job, lines))
        var found: [String] = []
        for element in elements {
            let deed = Deed(
                type: element.type, source: element.sourcePath, destination: element.destinationPath,
                size: element.size, depth: element.depth)
            guard let count = left[deed], count > 0 else {
                found.append("element \(job.id).\(element.id), \(deed), does not follow from the listing, or twice")
                continue
            }
            left[deed] = count - 1
        }
        if isComplete {
            found += left.filter { $0.value > 0 }.map { "job \(job.id) has no element for \($0.key)" }.sorted()
        }
        let depths = elements.map(\.depth)
        if depths != depths.sorted(by: >) { found.append("job \(job.id): a REMOVE has what is deeper first") }
        return found
    }

    private static func counts(_ deeds: [Deed]) -> [Deed: Int] {
        Dictionary(deeds.map { ($0, 1) }, uniquingKeysWith: +)
    }

    private static func deeds(of job: Job, _ lines: [ListingLine]) -> [Deed] {
        let source = job.source.path
        let destination = job.destination?.path ?? ""
        // Of a single file it names the parent.
        let isFile = lines.count == 1 && lines[0].directory != source
        switch job.type {
        case .rename: return [Deed(type: .rename, source: source, destination: destination)]
        case .list, .mkdir, .task: return []
        case .copy:
            if isFile {
                return [Deed(type: .copy, source: source, destination: destination, size: lines[0].entry?.size ?? 0)]
            }
            return lines.compactMap { line -> Deed? in
                let below = line.directory.dropFirst(source.count)
                guard let entry = line.entry else { return Deed(type: .mkdir, source: destination + below) }
                guard entry.kind != .directory else { return nil }
                return Deed(
                    type: .copy, source: "\(line.directory)/\(entry.name)",
                    destination: "\(destination)\(below)/\(entry.name)", size: entry.size)
            }
        case .remove:
            if isFile { return [Deed(type: .remove, source: source, size: lines[0].entry?.size ?? 0)] }
            let entries = lines.compactMap { line in
                line.entry.map { entry -> Deed in
                    let isDirectory = entry.kind == .directory
                    let path = "\(line.directory)/\(entry.name)"
                    return Deed(
                        type: .remove, source: path + (isDirectory ? "/" : ""), size: isDirectory ? 0 : entry.size,
                        depth: path.count { $0 == "/" } - source.count { $0 == "/" })
                }
            }
            return entries + [Deed(type: .remove, source: source + "/")]
        }
    }
}
