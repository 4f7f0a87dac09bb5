import Foundation

/// What a client of SFTP version 3 asks, with OpenSSH's extensions (its file PROTOCOL, section 4).
enum SFTPRequest: Sendable {
    struct OpenFlags: OptionSet, Sendable {
        var rawValue: UInt32
        static let read = OpenFlags(rawValue: 1)
        static let write = OpenFlags(rawValue: 2)
        static let create = OpenFlags(rawValue: 8)
        static let truncate = OpenFlags(rawValue: 16)
        static let exclusive = OpenFlags(rawValue: 32)
    }

    case open(String, OpenFlags, SFTPAttributes)
    case close(Data)
    case read(Data, offset: UInt64, count: UInt32)
    case write(Data, offset: UInt64, Data)
    /// Its bytes follow from elsewhere.
    case writeAhead(Data, offset: UInt64, count: Int)
    case lstat(String)
    case fstat(Data)
    case setstat(String, SFTPAttributes)
    case fsetstat(Data, SFTPAttributes)
    case opendir(String)
    case readdir(Data)
    case remove(String)
    case mkdir(String, SFTPAttributes)
    case rmdir(String)
    case realpath(String)
    case stat(String)
    case rename(String, String)
    case posixRename(String, String)
    case fsync(Data)
    case statvfs(String)
    case limits
    case copyData(from: Data, offset: UInt64, count: UInt64, to: Data, toOffset: UInt64)

    /// INIT, the packet that comes first.
    static let hello: Data = {
        var writer = SFTPFieldWriter()
        writer.add(UInt32(5))
        writer.add(UInt8(1))
        writer.add(UInt32(3))
        return writer.bytes
    }()

    /// The packet with its length; a write's content follows by itself, so that it is not copied.
    func packet(id: UInt32) -> (head: Data, content: Data?) {
        var writer = SFTPFieldWriter()
        writer.add(type)
        writer.add(id)
        write(to: &writer)
        var content: Data?
        var following = 0
        switch self {
        case .write(_, _, let data): (content, following) = (data, data.count)
        case .writeAhead(_, _, let count): following = count
        default: break
        }
        var head = SFTPFieldWriter()
        head.add(UInt32(clamping: writer.bytes.count + following))
        return (head.bytes + writer.bytes, content)
    }

    private var type: UInt8 {
        switch self {
        case .open: 3
        case .close: 4
        case .read: 5
        case .write, .writeAhead: 6
        case .lstat: 7
        case .fstat: 8
        case .setstat: 9
        case .fsetstat: 10
        case .opendir: 11
        case .readdir: 12
        case .remove: 13
        case .mkdir: 14
        case .rmdir: 15
        case .realpath: 16
        case .stat: 17
        case .rename: 18
        case .posixRename, .fsync, .statvfs, .limits, .copyData: 200
        }
    }

    private func write(to writer: inout SFTPFieldWriter) {
        switch self {
        case .open(let path, let flags, let attributes):
            writer.add(path)
            writer.add(flags.rawValue)
            attributes.write(to: &writer)
        case .close(let handle), .fstat(let handle), .readdir(let handle): writer.add(handle)
        case .read(let handle, let offset, let count):
            writer.add(handle)
            writer.add(offset)
            writer.add(count)
        case .write(let handle, let offset, let data):
            writer.add(handle)
            writer.add(offset)
            writer.add(UInt32(clamping: data.count))
        case .writeAhead(let handle, let offset, let count):
            writer.add(handle)
            writer.add(offset)
            writer.add(UInt32(clamping: count))
        case .lstat(let path), .opendir(let path), .remove(let path), .rmdir(let path), .realpath(let path),
            .stat(let path):
            writer.add(path)
        case .setstat(let path, let attributes), .mkdir(let path, let attributes):
            writer.add(path)
            attributes.write(to: &writer)
        case .fsetstat(let handle, let attributes):
            writer.add(handle)
            attributes.write(to: &writer)
        case .rename(let from, let to):
            writer.add(from)
            writer.add(to)
        default: writeExtended(to: &writer)
        }
    }

    private func writeExtended(to writer: inout SFTPFieldWriter) {
        switch self {
        case .posixRename(let from, let to):
            writer.add(SFTPExtension.posixRename.rawValue)
            writer.add(from)
            writer.add(to)
        case .fsync(let handle):
            writer.add(SFTPExtension.fsync.rawValue)
            writer.add(handle)
        case .statvfs(let path):
            writer.add(SFTPExtension.statvfs.rawValue)
            writer.add(path)
        case .copyData(let from, let offset, let count, let to, let toOffset):
            writer.add(SFTPExtension.copyData.rawValue)
            writer.add(from)
            writer.add(offset)
            writer.add(count)
            writer.add(to)
            writer.add(toOffset)
        default: writer.add(SFTPExtension.limits.rawValue)
        }
    }
}

/// The extensions that are used where a server offers them in the version that this code knows.
enum SFTPExtension: String, Sendable, CaseIterable {
    case posixRename = "posix-rename@openssh.com"
    case fsync = "fsync@openssh.com"
    case limits = "limits@openssh.com"
    case statvfs = "statvfs@openssh.com"
    case copyData = "copy-data"

    var version: String { self == .statvfs ? "2" : "1" }
}
