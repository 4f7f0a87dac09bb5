import Foundation

/// What stands in a named pipe.
enum PipeContent {
    /// Whether somebody has yet to read something; nil where that cannot be told. Only while both ends are open: who waits
    /// for a reader would take this for one.
    static func holdsBytes(_ path: String) -> Bool? {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: CInt = 0
        guard ioctl(descriptor, UInt(FIONREAD), &bytes) == 0 else { return nil }
        return bytes > 0
    }
}
