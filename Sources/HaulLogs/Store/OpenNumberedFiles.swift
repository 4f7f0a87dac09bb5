/// The numbered files that are kept open, the least lately used closed first.
struct OpenNumberedFiles {
    private let capacity: Int
    private var files: [String: (file: NumberedFile, used: UInt64)] = [:]
    private var clock: UInt64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    mutating func take(_ logUID: String) -> NumberedFile? { files.removeValue(forKey: logUID)?.file }

    mutating func put(_ file: NumberedFile, for logUID: String) {
        clock += 1
        files[logUID] = (file, clock)
        guard files.count > capacity else { return }
        // Many at once, so that the search is paid by many.
        let oldest = files.sorted { $0.value.used < $1.value.used }.prefix(1 + capacity / 8)
        for (logUID, _) in oldest { files[logUID] = nil }
    }

    /// Closes those that were opened before a time.
    ///
    /// - Returns: the names of the others, `LOG_UID.NAME`.
    mutating func close(openedBefore time: ContinuousClock.Instant) -> Set<String> {
        files = files.filter { $0.value.file.opened >= time }
        return Set(files.map { $0.key + "." + $0.value.file.name })
    }

    mutating func close(_ logUID: String) { files[logUID] = nil }
}
