import CFiles
import Foundation
import HaulModel

extension LocalEnd {
    /// From file to file within the kernel, by sharing blocks where the file system can: `copy_file_range(2)`. What it
    /// cannot take any further passes through memory.
    public static var kernel: CopyMover<LocalEnd, LocalEnd> {
        .into("", paces: false) { move, writer in
            guard let writer = writer as? LocalWriter,
                let reader = try await move.source.reader(move.readOrder) as? LocalReader
            else { return nil }
            let (from, to) = (reader.file, writer.file)
            try await files.run {
                lseek(from.raw, off_t(move.offset), SEEK_SET)
                lseek(to.raw, off_t(move.offset), SEEK_SET)
            }
            var offset = move.offset
            while offset < move.facts.size {
                try Task.checkCancellation()
                let most = min(4 << 20, move.facts.size - offset)
                guard let count = try await files.run({ try moved(from, to, most, move.source.shown) }) else { break }
                offset += count
                move.report.progress(transferred: offset, total: move.facts.size)
            }
            if offset == move.offset, offset < move.facts.size { return nil }
            return CopyMoved(offset: offset, source: try await reader.finish())
        }
    }

    /// - Returns: Nil where the kernel cannot, or finds nothing more to read.
    private static func moved(_ from: Descriptor, _ to: Descriptor, _ most: Int, _ shown: String) throws -> Int? {
        while true {
            let count = haul_copy_range(from.raw, to.raw, most)
            if count > 0 { return count }
            if count == 0 || [EXDEV, ENOSYS, EINVAL, EOPNOTSUPP, EBADF, EPERM].contains(errno) { return nil }
            if errno != EINTR { throw BackendFailure.system(errno, "cannot copy \(shown)") }
        }
    }
}
