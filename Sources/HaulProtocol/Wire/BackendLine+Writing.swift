import HaulModel

// The documents of the wire, key by key, in their alphabetical order.

extension BackendLine {
    func write(to writer: inout JSONWriter) {
        switch self {
        case .log(let id, let text):
            writer.field("id", id)
            writer.field("text", text)
            writer.field("type", "log")
        case .progress(let id, let progress):
            writer.field("average", Self.finite(progress.average))
            writer.field("elapsed", Self.finite(progress.elapsed))
            writer.field("id", id)
            writer.field("instant", Self.finite(progress.instant))
            writer.field("total", progress.total)
            writer.field("transferred", progress.transferred)
            writer.field("type", "progress")
        case .entries(let id, let directory, let entries):
            writer.field("directory", directory)
            writer.key("entries")
            writer.array { writer in for entry in entries { writer.object { entry.write(to: &$0) } } }
            writer.field("id", id)
            writer.field("type", "entries")
        case .result(let id, let result):
            writer.field("checksum", result.checksum)
            writer.field("class", result.errorClass?.rawValue)
            writer.field("id", id)
            writer.field("outcome", result.isOK ? "ok" : "failed")
            writer.field("reason", result.reason)
            writer.field("returncode", result.returncode)
            writer.field("transferred", result.transferred)
            writer.field("type", "result")
        case .ask(let id, let question): question.write(to: &writer, id: id)
        case .answer(let id, let answer): answer.write(to: &writer, id: id)
        }
    }

    /// JSON has no infinity, and a rate over no time is one.
    private static func finite(_ value: Double) -> JSONValue {
        .double(value.isFinite ? (value * 1000).rounded() / 1000 : 0)
    }
}

extension BackendCommand {
    /// Of all but a batch.
    func write(to writer: inout JSONWriter) {
        switch self {
        case .batch: break
        case .element(let element):
            writer.field("attempt", element.attempt)
            writer.field("checksum", element.checksum)
            writer.field("destination", element.destination)
            writer.field("id", element.id)
            writer.key("last")
            writer.value(element.last)
            writer.field("part_seed", element.partSeed)
            writer.field("pipe", element.pipe)
            writer.field("size", element.size)
            writer.field("source", element.source)
            writer.field("type", "element")
        case .cancel(let id, let keep):
            writer.field("id", id)
            if keep {
                writer.key("keep")
                writer.value(true)
            }
            writer.field("type", "cancel")
        case .ask(let id, let question): question.write(to: &writer, id: id)
        case .answer(let id, let answer): answer.write(to: &writer, id: id)
        }
    }
}

extension ListingEntry {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("name", name)
        writer.field("st_mode", mode)
        writer.field("st_mtime", modified)
        writer.field("st_size", size)
    }
}
