import HaulModel

/// The documents of Overview's plugin, as JSON.
enum OverviewDocuments {
    /// How far a job is: an object of what `/generate` streams.
    static func progress(_ state: OverviewState) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("n_ahead_in_queue")
            writer.value(state.ahead)
            writer.key("fraction")
            writer.value(JSONValue.double(state.fraction))
            writer.key("message")
            writer.value(state.message)
            writer.key("returncode")
            writer.value(state.returnCode)
            writer.key("error")
            writer.value(state.error)
        }
        return writer.bytes
    }

    /// `/metadata`.
    static let metadata: JSONValue = [
        "name": "haul", "description": "Lists what is below a path of a site, and searches it", "version": "1.0",
        "author": "haul",
    ]
}
