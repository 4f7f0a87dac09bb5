import Foundation
import HaulModel
import HaulProtocol

extension CopyMover where Source == RcloneEnd, Target == LocalEnd {
    static var download: CopyMover {
        .whole("", paces: false) { move in
            guard let place = WorkerFile(move.target.path) else { return nil }
            try await Transfer(control: move.source.files.control, report: move.report, total: move.facts.size).run(
                from: (move.source.files.remote, move.source.path.text), to: (place.folder, place.name),
                "cannot read \(move.source.shown)")
            return CopyMoved()
        }
    }
}

extension CopyMover where Source == LocalEnd, Target == RcloneEnd {
    static var upload: CopyMover {
        .whole("", paces: false) { move in
            guard let place = WorkerFile(move.source.path) else { return nil }
            try await Transfer(control: move.target.files.control, report: move.report, total: move.facts.size).run(
                from: (place.folder, place.name), to: (move.target.files.remote, move.target.path.text),
                "cannot write \(move.target.shown)")
            return CopyMoved()
        }
    }
}

extension CopyMover where Source == RcloneEnd, Target == RcloneEnd {
    /// Within a service where rclone knows how, else through rclone.
    static var between: CopyMover {
        .whole("", paces: false) { move in
            try await Transfer(control: move.target.files.control, report: move.report, total: move.facts.size).run(
                from: (move.source.files.remote, move.source.path.text),
                to: (move.target.files.remote, move.target.path.text), "cannot copy to \(move.target.shown)")
            return CopyMoved()
        }
    }
}

/// A file of the worker's own as rclone takes it: a folder and a name.
struct WorkerFile: Sendable, Hashable {
    var folder: String
    var name: String

    /// - Returns: Nil for a name of which rclone might make another.
    init?(_ path: String?) {
        guard let path, path.utf8.first == UInt8(ascii: "/"),
            !path.unicodeScalars.contains(where: {
                $0.value < 0x20 || $0 == "\u{201b}" || (0x2400...0x2421).contains($0.value)
            })
        else { return nil }
        let (directory, name) = ListingPath.parent(path)
        // What is copied was looked at: a link is followed where that was wanted.
        (folder, self.name) = (":local,copy_links=true:" + directory, name)
    }
}
