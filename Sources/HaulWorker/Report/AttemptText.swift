import HaulModel
import HaulProtocol
import HaulWire

/// The worker's own lines in an attempt's log: what is run, and how it ended.
enum AttemptText {
    /// `COPY ssh-a:/data/f -> ssh-b:/copy/f`, then who runs it.
    static func header(_ assignment: Assignment, worker: String) -> String {
        let errand = assignment.errand
        var what = "\(errand.elementType.name) \(errand.source.site.name):\(assignment.sourcePath)"
        if let path = assignment.destinationPath {
            what += " -> \((errand.destination ?? errand.source).site.name):\(path)"
        }
        var how = "protocol \(errand.source.protocolName)"
        if let other = errand.destination, errand.isBridge { how += " to \(other.protocolName), by way of this worker" }
        return """
            \(Timestamp.now.text) \(what)
            worker \(worker), attempt \(assignment.key.attempt) (try \(assignment.tryNumber) of \
            \(assignment.maxTries)), \(how)

            """
    }

    /// `ok: 1234 bytes in 0.42 s`, or `failed not_found: REASON (0 bytes, 0.42 s)`.
    static func footer(_ result: ElementResult, seconds: Double) -> String {
        let hundredths = Int((max(0, seconds) * 100).rounded())
        let time = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
        let checksum = result.checksum.map { ", \($0)" } ?? ""
        guard let errorClass = result.errorClass else {
            return "\(Timestamp.now.text) ok: \(result.transferred) bytes in \(time)\(checksum)\n"
        }
        let reason = result.reason ?? "no reason given"
        return "\(Timestamp.now.text) failed \(errorClass.rawValue): \(reason) (\(result.transferred) bytes, \(time))\n"
    }
}
