import Foundation

/// A file that a configuration names and that holds a secret: a token, a key, a credential.
public enum PrivateFile {
    /// What is wrong with it, as a sentence's end; nil where nothing is. Reads the disk.
    public static func problem(with path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "cannot be read: \(String(cString: strerror(errno)))" }
        guard status.st_mode & S_IFMT == S_IFREG else { return "is no regular file" }
        guard status.st_mode & 0o077 == 0 else {
            return "can be read by others: its mode is \(String(status.st_mode & 0o777, radix: 8)), make it 600"
        }
        guard access(path, R_OK) == 0 else { return "cannot be read: \(String(cString: strerror(errno)))" }
        return nil
    }
}
