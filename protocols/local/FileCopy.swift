import CFiles
import Foundation
import HaulModel
import HaulProtocol

/// One file's way: decide, write the part file, verify, rename. Blocking; asks the report whether it was cancelled.
struct FileCopy {
    private static let piece = 4 << 20

    let element: ElementSpec
    let options: CommonOptions
    let report: ElementReport

    func run(from source: Descriptor, to destination: LocalName) throws {
        let before = try source.status(element.source)
        let facts = FileFacts(before)
        var replace = false
        switch try plan(source, facts, destination) {
        case .skip(let log):
            report.transferred(0)
            return report.log(log)
        case .fail(let failure): throw failure
        case .copy(let gives): replace = gives
        case .compareChecksums: throw BackendFailure(.unknown, "the checksums were compared without a result")
        }
        let name = try PartFile.name(seed: element.partSeed, size: facts.size, modified: facts.modified ?? 0)
        let part = destination.sibling(name)
        do {
            try write(source, facts, to: part)
            let after = try source.status(element.source)
            guard after.st_size == before.st_size, after.st_mtim.tv_sec == before.st_mtim.tv_sec,
                after.st_mtim.tv_nsec == before.st_mtim.tv_nsec
            else { throw BackendFailure(.busy, "\(element.source) was changed while it was copied") }
            try part.rename(to: destination, replace: replace)
        } catch {
            // A later attempt goes on from the part; where none comes, nothing stays behind.
            let isPermanent = (error as? BackendFailure)?.errorClass.isPermanent ?? false
            let isBusy = (error as? BackendFailure)?.errorClass == .busy
            if element.last && !isBusy || isPermanent || report.isCancelled { try? part.unlink() }
            throw error
        }
        try destination.directory.syncDirectory()
    }

    private func plan(_ source: Descriptor, _ facts: FileFacts, _ destination: LocalName) throws -> CopyPlan {
        let there = try destination.facts()
        func decide(_ same: Bool?) -> CopyPlan {
            CopyPlan.decide(
                source: facts, destination: there, options: options, sourcePath: element.source,
                destinationPath: destination.shown, sameContent: same)
        }
        let plan = decide(nil)
        guard plan == .compareChecksums else { return plan }
        let existing = try destination.open(O_RDONLY)
        let algorithm = try algorithm()
        let sum = try hash(source, algorithm)
        report.checksum(sum)
        return decide(try hash(existing, algorithm) == sum)
    }

    private func write(_ source: Descriptor, _ facts: FileFacts, to part: LocalName) throws {
        let file = try part.openAlone()
        let already = try file.status("the part file")
        guard already.st_mode & S_IFMT == S_IFREG else {
            throw BackendFailure(.exists, "the part file's name is taken by something else")
        }
        var done = PartFile.resumeOffset(part: Int(already.st_size), source: facts.size)
        if done > 0, try !agree(source, file, done) {
            report.log("the part file of an earlier attempt is damaged; starting over")
            done = 0
        }
        if ftruncate(file.raw, off_t(done)) != 0 { throw BackendFailure.system(errno, "cannot write \(part.shown)") }
        if done > 0 { report.log("resumed at \(done) of \(facts.size) bytes") }
        lseek(source.raw, off_t(done), SEEK_SET)
        lseek(file.raw, off_t(done), SEEK_SET)
        report.progress(transferred: done, total: facts.size)
        try move(source, file, done, facts.size)
        if fchmod(file.raw, mode_t(facts.permissions ?? 0o644)) != 0 {
            report.log("the permissions could not be kept: \(String(cString: strerror(errno)))")
        }
        let modified = try source.status(element.source).st_mtim
        var times = [timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), modified]
        if futimens(file.raw, &times) != 0 { report.log("the modification time could not be kept") }
        if fsync(file.raw) != 0 { throw BackendFailure.system(errno, "cannot write \(part.shown)") }
        try verify(source, file, facts.size)
    }

    /// In the kernel where it can (and by sharing blocks where the file system can), else through memory.
    private func move(_ source: Descriptor, _ file: Descriptor, _ start: Int, _ size: Int) throws {
        var done = start
        var inKernel = true
        var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { buffer.deallocate() }
        while done < size {
            try check()
            var count = -1
            if inKernel {
                count = haul_copy_range(source.raw, file.raw, min(Self.piece, size - done))
                if count < 0, [EXDEV, ENOSYS, EINVAL, EOPNOTSUPP, EBADF, EPERM].contains(errno) || count == 0 {
                    inKernel = false
                    buffer.deallocate()
                    buffer = .allocate(byteCount: 1 << 20, alignment: 4096)
                    continue
                }
            } else {
                count = read(source.raw, buffer.baseAddress, min(buffer.count, size - done))
                if count > 0 { try writeAll(file, UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw BackendFailure.system(errno, "cannot copy \(element.source)")
            }
            if count == 0 { throw BackendFailure(.busy, "\(element.source) became shorter while it was copied") }
            done += count
            report.progress(transferred: done, total: size)
        }
        report.transferred(done)
    }

    private func writeAll(_ file: Descriptor, _ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Foundation.write(file.raw, rest.baseAddress, rest.count)
            if count < 0, errno != EINTR { throw BackendFailure.system(errno, "cannot write the part file") }
            written += max(0, count)
        }
    }

    private func verify(_ source: Descriptor, _ file: Descriptor, _ size: Int) throws {
        if options.verify != .none {
            let found = Int(try file.status("the part file").st_size)
            if found != size { throw BackendFailure(.checksum, "\(found) bytes arrived, not \(size)") }
        }
        guard options.verify == .checksum || element.checksum != nil else { return }
        let algorithm = try algorithm()
        let arrived = try hash(file, algorithm)
        let expected = try element.checksum.map { $0.lowercased() } ?? hash(source, algorithm)
        report.checksum(arrived)
        if arrived != expected { throw BackendFailure(.checksum, "\(arrived) arrived, not \(expected)") }
    }

    /// That of the checksum that is expected, else md5.
    private func algorithm() throws -> StreamHash.Algorithm {
        guard let expected = element.checksum else { return .md5 }
        guard let algorithm = StreamHash.Algorithm(rawValue: expected.prefix { $0 != ":" }.lowercased()) else {
            throw BackendFailure(.invalid, "the checksum \(expected.prefix(80)) is of a kind that is not known here")
        }
        return algorithm
    }

    private func hash(_ file: Descriptor, _ algorithm: StreamHash.Algorithm) throws -> String {
        let hash = try StreamHash(algorithm)
        try pieces(of: file, upTo: .max) { hash.update($0) }
        return hash.finish()
    }

    /// Whether the first bytes of both are the same: after a power cut a part can have its size without its content.
    private func agree(_ source: Descriptor, _ part: Descriptor, _ count: Int) throws -> Bool {
        let (one, other) = (try StreamHash(.sha256), try StreamHash(.sha256))
        try pieces(of: source, upTo: count) { one.update($0) }
        try pieces(of: part, upTo: count) { other.update($0) }
        return one.finish() == other.finish()
    }

    private func pieces(of file: Descriptor, upTo limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var done = 0
        while done < limit {
            try check()
            let count = pread(file.raw, buffer.baseAddress, min(buffer.count, limit - done), off_t(done))
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw BackendFailure.system(errno, "cannot read \(element.source)") }
            if count == 0 { return }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += count
            report.progress(transferred: done, total: nil)
        }
    }

    private func check() throws { if report.isCancelled { throw CancellationError() } }
}
