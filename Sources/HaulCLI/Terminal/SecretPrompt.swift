import Foundation

/// A secret from whoever sits at the terminal, not shown while it is typed; from elsewhere, the first line of stdin.
enum SecretPrompt {
    static func ask(_ question: String) throws(CLIError) -> String {
        var old = termios()
        let isTerminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &old) == 0
        if isTerminal {
            FileHandle.standardError.write(Data(question.utf8))
            var silent = old
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &old)
                FileHandle.standardError.write(Data("\n".utf8))
            }
        }
        guard let line = readLine(), !line.isEmpty else {
            throw .usage("no password was given", hint: "type it, or give it on stdin: haul login < FILE")
        }
        return line
    }
}
