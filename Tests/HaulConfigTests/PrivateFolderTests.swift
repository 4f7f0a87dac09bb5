import Foundation
import Glibc
import HaulConfig
import Testing

@Suite struct PrivateFolderTests {
    private let top = NSTemporaryDirectory() + "haul-private-\(UUID().uuidString)"

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    /// Its mode is never set after it is there: who looks in between would find it open.
    @Test func fromItsFirstMoment() throws {
        #expect(mkdir(top, 0o755) == 0)
        defer { try? FileManager.default.removeItem(atPath: top) }
        let watch = inotify_init1(Int32(IN_NONBLOCK))
        defer { close(watch) }
        #expect(inotify_add_watch(watch, top, UInt32(IN_CREATE | IN_ATTRIB)) >= 0)
        try PrivateFolder.make(top + "/a/b/c", withParents: true)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(watch, &bytes, bytes.count)
        try #require(count > 0)
        let events = bytes[..<count].withUnsafeBytes { raw in
            var masks: [UInt32] = []
            var offset = 0
            while offset < raw.count {
                let event = raw.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                masks.append(event.mask)
                offset += MemoryLayout<inotify_event>.size + Int(event.len)
            }
            return masks
        }
        #expect(events == [UInt32(IN_CREATE) | UInt32(bitPattern: Int32(IN_ISDIR))])
        #expect(["/a", "/a/b", "/a/b/c"].map { mode(top + $0) } == [0o700, 0o700, 0o700])
    }

    @Test func whatIsThere() throws {
        #expect(mkdir(top, 0o755) == 0)
        defer { try? FileManager.default.removeItem(atPath: top) }
        try PrivateFolder.make(top)
        try PrivateFolder.make(top + "/", withParents: true)
        #expect(mode(top) == 0o755)
        #expect(throws: POSIXError(.EEXIST)) { try PrivateFolder.make(top, isNew: true) }
        #expect(throws: POSIXError(.ENOENT)) { try PrivateFolder.make(top + "/a/b") }
        #expect(throws: POSIXError(.ENOENT)) { try PrivateFolder.make("", withParents: true) }
        try PrivateFolder.make(top + "/x/../y/z/", withParents: true)
        #expect(mode(top + "/y/z") == 0o700)
        try Data().write(to: URL(fileURLWithPath: top + "/file"))
        #expect(throws: POSIXError(.EEXIST)) { try PrivateFolder.make(top + "/file") }
        #expect(throws: POSIXError(.ENOTDIR)) { try PrivateFolder.make(top + "/file/a", withParents: true) }
    }
}
