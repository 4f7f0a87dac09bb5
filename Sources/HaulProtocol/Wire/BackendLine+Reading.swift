import HaulModel

// What a backend's lines hold, checked where it becomes a value of ours.

extension TransferProgress {
    init(_ fields: JSONFields) throws(WireError) {
        let transferred = try fields.integer("transferred")
        let total = try fields.optionalInteger("total")
        guard transferred >= 0, total ?? 0 >= 0 else { throw WireError("counts below zero") }
        self.init(
            transferred: transferred, total: total, elapsed: max(0, try fields.optionalNumber("elapsed") ?? 0),
            instant: max(0, try fields.optionalNumber("instant") ?? 0),
            average: max(0, try fields.optionalNumber("average") ?? 0))
    }
}

extension ListingEntry {
    /// A name with a slash, or `..`, would lead an expansion out of the directory that was listed; one with a control
    /// character would make an element that no job may name. `.` stands for `/` and `~` themselves.
    init(_ fields: JSONFields) throws(WireError) {
        let name = try fields.text("name")
        if name != ".", let why = EntryName.problem(name) {
            throw WireError("holds an entry whose name \(why)")
        }
        let modified = try fields.optionalNumber("st_mtime").flatMap { Int(exactly: $0.rounded(.down)) }
        self.init(
            name: name, size: max(0, try fields.optionalInteger("st_size") ?? 0),
            mode: try fields.optionalInteger("st_mode") ?? 0o100644, modified: modified ?? 0)
    }
}

extension ElementResult {
    init(_ fields: JSONFields) throws(WireError) {
        var failure: ErrorClass?
        switch try fields.text("outcome") {
        case "ok": failure = nil
        case "failed":
            // A class of a later version is still a failure that may be tried again.
            failure = try fields.optionalText("class").flatMap(ErrorClass.init(rawValue:)) ?? .unknown
            // That is for who runs it to say.
            if failure == .drained { failure = .unknown }
        default: throw WireError("has an outcome that is neither ok nor failed")
        }
        self.init(
            errorClass: failure, reason: try fields.optionalText("reason")?.prefix(bytes: 4096),
            returncode: try fields.optionalInteger("returncode") ?? (failure == nil ? 0 : 1),
            transferred: max(0, try fields.optionalInteger("transferred") ?? 0),
            checksum: try fields.optionalText("checksum")?.prefix(bytes: 256))
    }
}

extension ElementSpec {
    init(_ fields: JSONFields) throws(WireError) {
        self.init(
            id: try fields.text("id"), source: try fields.text("source"),
            destination: try fields.optionalText("destination"), size: try fields.optionalInteger("size"),
            checksum: try fields.optionalText("checksum"), attempt: try fields.optionalInteger("attempt") ?? 1,
            last: try fields.optionalFlag("last") ?? false, partSeed: try fields.optionalText("part_seed") ?? "",
            pipe: try fields.optionalText("pipe"))
    }
}
