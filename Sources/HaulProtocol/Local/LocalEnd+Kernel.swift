import CFiles
import Foundation
import HaulModel

extension LocalEnd {
    /// From file to file within the kernel, by sharing blocks where the file system can: `copy_file_range(2)`. What it
    /// cannot take any further passes through memory.
    public static var kernel: CopyMover<LocalEnd, LocalEnd> {
        .into("", paces: false) { move, writer in
            guard let to = (writer as? LocalWriter)?.file else { return nil }
            let size = move.facts.size
            // A small file is done in one go.
            let (from, start, found) = try await files.run {
                let from = try move.source.openReader(move.readOrder).file
                lseek(from.raw, off_t(move.offset), SEEK_SET)
                lseek(to.raw, off_t(move.offset), SEEK_SET)
                let count = try moved(from, to, size - move.offset, move.source.shown)
                return (from, move.offset + (count ?? 0), FileFacts(try from.status(move.source.shown)))
            }
            if start == move.offset, start < size { return nil }
            var (offset, facts) = (start, found)
            while offset < size {
                try Task.checkCancellation()
                move.report.progress(transferred: offset, total: size)
                let done = offset
                let count: Int?
                (count, facts) = try await files.run {
                    let count = try moved(from, to, size - done, move.source.shown)
                    return (count, FileFacts(try from.status(move.source.shown)))
                }
                guard let count else { break }
                offset += count
            }
            return CopyMoved(offset: offset, source: facts)
        }
    }

    private static var piece: Int { 4 << 20 }

    /// - Returns: Nil where the kernel cannot, or finds nothing more to read.
    private static func moved(_ from: Descriptor, _ to: Descriptor, _ most: Int, _ shown: String) throws -> Int? {
        if most <= 0 { return nil }
        while true {
            let count = haul_copy_range(from.raw, to.raw, min(piece, most))
            if count > 0 { return count }
            if count == 0 || [EXDEV, ENOSYS, EINVAL, EOPNOTSUPP, EBADF, EPERM].contains(errno) { return nil }
            if errno != EINTR { throw BackendFailure.system(errno, "cannot copy \(shown)") }
        }
    }
}
