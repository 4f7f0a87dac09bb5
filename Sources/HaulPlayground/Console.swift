import Foundation

/// Where this program tells people what happens: a whole line at a time, also into a file or a pipe.
enum Console {
    static func line(_ text: String) {
        // A reader that left is no reason to leave servers running.
        try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    }

    static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data("haul-playground: \(text)\n".utf8))
    }
}
