import Foundation
import HaulModel

extension BackendFailure {
    /// A system call that failed, as the class that its `errno` means.
    /// - Parameter what: `cannot open /data/a`; the system's reason is added.
    public static func system(_ code: Int32, _ what: String) -> BackendFailure {
        BackendFailure(errorClass(of: code), "\(what): \(reason(of: code))")
    }

    /// A path of a site that keeps out of what is mounted below its root.
    public static func mounted(_ shown: String) -> BackendFailure {
        BackendFailure(
            .permission,
            "\(shown) is a mount point, or below one, and the site option `mounts` is `stay` (`cross`: it is part of the site)"
        )
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func reason(of code: Int32) -> String {
        code == EXDEV ? "the path leads out of its root, or to another file system" : reason(code)
    }

    private static func errorClass(of code: Int32) -> ErrorClass {
        switch code {
        case ENOENT: .notFound
        case EEXIST: .exists
        case ENOTEMPTY: .notEmpty
        case EACCES, EPERM, EROFS, EXDEV: .permission
        case ENOSPC, EDQUOT, EFBIG: .noSpace
        case ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EINVAL: .invalid
        case EBUSY, ETXTBSY, EMFILE, ENFILE, EAGAIN, ENOMEM: .busy
        case ETIMEDOUT: .timeout
        case EIO, ESTALE, ENODEV, EHOSTDOWN: .connect
        default: .unknown
        }
    }
}
