import Foundation
import HaulModel
import HaulProtocol

extension CopyMover where Source == XRootDEnd, Target == LocalEnd {
    /// A download, which xrdcp goes on with where a part of it is there.
    static var download: CopyMover {
        .whole("", paces: false, resumes: true) { move in
            guard let path = move.target.path, WorkerFile.isPlain(path) else { return nil }
            // Held for as long as it takes: no other attempt writes the same part meanwhile.
            let part = try await move.target.writer(WriteOrder(source: move.facts))
            defer { part.abandon() }
            if part.existing > move.offset { try await part.cut(to: move.offset) }
            let (target, report) = (move.target, move.report)
            report.progress(transferred: move.offset, total: move.facts.size)
            let arguments =
                ["--silent", "--nopbar", "--continue"]
                + Xrdcp.streams(move.streams) + [move.source.url, path]
            let failed = try await Xrdcp.run(move.source.tools.xrdcp, arguments, move.source.environment) {
                if let size = try? await target.facts(follow: false)?.size {
                    report.progress(transferred: size, total: move.facts.size)
                }
            }
            if let failed {
                throw Complaint.failure(
                    failed.complaint, "cannot read \(move.source.shown)", about: [move.source.path.text, path],
                    returncode: failed.returncode)
            }
            return CopyMoved()
        }
    }
}

extension CopyMover where Source == LocalEnd, Target == XRootDEnd {
    /// An upload.
    static var upload: CopyMover {
        .whole("", paces: false) { move in
            guard let path = move.source.path, WorkerFile.isPlain(path) else { return nil }
            try await CopyMover<LocalEnd, XRootDEnd>.write(
                move, from: path, path, Xrdcp.streams(move.streams))
            return CopyMoved()
        }
    }
}

extension CopyMover where Source == XRootDEnd, Target == XRootDEnd {
    /// The destination's server fetches from the source's. For sites whose credentials are the same, as ``between``: one
    /// xrdcp shows what it has to both.
    static func thirdParty(only: Bool) -> CopyMover {
        .whole("copied from server to server", paces: only) { move in
            // The servers tell each other the paths among parameters, which a & parts.
            if !only, (move.source.path.text + move.target.path.text).contains("&") { return nil }
            do {
                try await write(
                    move, from: move.source.url, move.source.path.text,
                    ["--tpc", "only"] + Xrdcp.streams(move.streams))
            } catch let failure as BackendFailure where !only && !isFinal(failure) {
                try Task.checkCancellation()
                move.report.log("no copy from server to server, so through the worker: \(failure.reason)")
                return nil
            }
            // A server whose disk is full may say that all went well.
            if !only, let arrived = try await move.target.facts(follow: false)?.size, arrived < move.facts.size {
                move.report.log(
                    "\(arrived) of \(move.facts.size) bytes went from server to server, so through the worker")
                return nil
            }
            return CopyMoved()
        }
    }

    /// What would be no better through the worker. A server whose own xrdcp fails says "not authorized", whatever it was.
    private static func isFinal(_ failure: BackendFailure) -> Bool {
        [.noSpace, .notFound, .exists].contains(failure.errorClass)
    }

    /// One xrdcp reads from the one and writes to the other.
    static var between: CopyMover {
        .whole("", paces: false) { move in
            try await write(
                move, from: move.source.url, move.source.path.text, Xrdcp.streams(move.streams))
            return CopyMoved()
        }
    }
}

extension CopyMover where Target == XRootDEnd {
    /// - Parameter path: Of the source alone, as the tool may name it.
    fileprivate static func write(
        _ move: CopyMove<Source, XRootDEnd>, from source: String, _ path: String, _ more: [String]
    ) async throws {
        let (target, report) = (move.target, move.report)
        report.progress(transferred: 0, total: move.facts.size)
        let arguments = target.uploading + more + [source, target.url]
        let failed = try await Xrdcp.run(target.tools.xrdcp, arguments, target.environment) {
            await target.tell(report, of: move.facts.size)
        }
        if let failed {
            throw Complaint.failure(
                failed.complaint, "cannot copy to \(target.shown)", about: [path, target.path.text],
                returncode: failed.returncode)
        }
    }
}

/// Files of the worker's own as xrdcp takes them.
enum WorkerFile {
    /// xrdcp takes what follows a `?` for something else, and a name that starts so for an URL or a standard stream.
    static func isPlain(_ path: String) -> Bool {
        path.utf8.first == UInt8(ascii: "/") && !path.utf8.contains(UInt8(ascii: "?"))
    }
}
