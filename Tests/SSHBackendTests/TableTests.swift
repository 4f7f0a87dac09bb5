import HaulModel
import HaulProtocol
import Testing

@testable import haul_ssh

/// What a refusal means, a row each.
struct TableTests {
    @Test(arguments: [
        (2, ErrorClass.notFound), (3, .permission), (4, .unknown), (5, .invalid), (6, .connect), (7, .connect),
        (8, .invalid), (9, .unknown), (10, .notFound), (11, .exists), (12, .permission), (13, .unknown),
        (14, .noSpace), (15, .noSpace), (16, .permission), (17, .busy), (18, .notEmpty), (19, .notFound),
        (20, .invalid), (21, .invalid), (4_000_000_000, .unknown),
    ])
    func statusCodes(_ code: Int, _ expected: ErrorClass) {
        #expect(SFTPStatus(code: UInt32(code), message: "").errorClass == expected)
    }

    @Test(arguments: [
        ("write: No space left on device", ErrorClass.noSpace), ("Disk quota exceeded", .noSpace),
        ("Disk full", .noSpace), ("mkdir: File exists", .exists), ("Target already exists", .exists),
        ("Directory not empty", .notEmpty), ("Permission denied", .permission),
        ("Read-only file system", .permission), ("No such file or directory", .notFound),
        ("Device or resource busy", .busy), ("Too many open files", .busy), ("Failure", .unknown), ("", .unknown),
    ])
    func textsOfAGeneralFailure(_ text: String, _ expected: ErrorClass) {
        #expect(SFTPStatus(code: 4, message: text).errorClass == expected)
        #expect(SFTPStatus(code: 99, message: text).errorClass == expected)
        // A code that says what happened is believed, whatever its text.
        #expect(SFTPStatus(code: 3, message: text).errorClass == .permission)
    }

    @Test func everyRowOfStatusIsTested() {
        #expect(SFTPStatus.classes.count == 20)
        #expect(SFTPStatus.texts.count == 11)
        #expect(SSHComplaint.rows.count == 26)
    }

    /// What OpenSSH's ssh really prints.
    @Test(arguments: [
        ("Host key verification failed.", ErrorClass.auth),
        (
            "No RSA host key is known for [127.0.0.1]:22 and you have requested strict checking.\n"
                + "Host key verification failed.", .auth
        ),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", .auth),
        (
            "Unable to negotiate with 127.0.0.1 port 22: no matching host key type found. Their offer: ssh-ed25519",
            .auth
        ),
        ("Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures", .auth),
        ("Load key \"/x\": bad permissions\nroot@127.0.0.1: Permission denied (publickey).", .auth),
        ("Load key \"/x\": error in libcrypto", .auth), ("Load key \"/x\": invalid format", .auth),
        ("root@127.0.0.1: Permission denied (publickey).", .auth),
        ("subsystem request failed on channel 0", .invalid),
        ("command-line: line 0: Bad configuration option: x", .invalid),
        ("command-line line 0: Bad SSH2 cipher spec 'x'.", .invalid),
        ("Unable to negotiate with 127.0.0.1 port 22: no matching cipher found. Their offer: x", .invalid),
        ("ssh: Could not resolve hostname x: Name or service not known", .connect),
        ("ssh: connect to host 127.0.0.1 port 1: Connection refused", .connect),
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", .connect),
        ("ssh: connect to host 10.0.0.1 port 22: Operation timed out", .connect),
        ("ssh: connect to host 10.0.0.1 port 22: No route to host", .connect),
        ("connect to host 10.0.0.1 port 22: Network is unreachable", .connect),
        ("Timeout, server 10.0.0.1 not responding.", .connect),
        ("Read from remote host 10.0.0.1: Connection reset by peer", .connect),
        ("client_loop: send disconnect: Broken pipe", .connect),
        ("Connection closed by 127.0.0.1 port 22", .connect),
        ("Connection to 127.0.0.1 closed by remote host.", .connect),
        ("kex_exchange_identification: read: x", .connect),
        ("Connection timed out during banner exchange", .connect), ("what nobody has said before", .connect),
        ("", .connect),
        // A file of ours that cannot be written is no refusal of the server's.
        ("hostkeys_foreach failed: Permission denied\nConnection closed by 127.0.0.1", .connect),
    ])
    func complaints(_ said: String, _ expected: ErrorClass) throws {
        let endpoint = try Endpoint("127.0.0.1:22")
        let failure = SSHComplaint.failure(said, endpoint, returncode: 255, otherwise: "the connection closed")
        #expect(failure.errorClass == expected)
        #expect(failure.returncode == 255)
        guard SSHComplaint.rows.first(where: { said.lowercased().contains($0.text) })?.quoted != false else {
            #expect(failure.reason.hasPrefix("the host key of 127.0.0.1:22 "))
            #expect(!failure.reason.contains("@"))
            return
        }
        #expect(failure.reason.hasPrefix("127.0.0.1:22: "))
        #expect(failure.reason.contains(said.isEmpty ? "the connection closed" : "ssh says"))
    }

    /// Each row is reached by its own words: none stands in the shadow of one before it.
    @Test func noRowIsShadowed() throws {
        let endpoint = try Endpoint("h")
        for row in SSHComplaint.rows {
            let failure = SSHComplaint.failure(row.text.uppercased(), endpoint, returncode: 0, otherwise: "")
            #expect(failure.errorClass == row.errorClass, "\(row.text)")
            #expect(failure.returncode == 1)
            if let hint = row.hint { #expect(failure.reason.contains(hint.replacing("HOST", with: "h:22"))) }
        }
    }

    @Test func aLongComplaintIsCut() throws {
        let failure = SSHComplaint.failure(
            String(repeating: "x", count: 100_000), try Endpoint("h"), returncode: 255, otherwise: "")
        #expect(failure.reason.utf8.count < 1000)
    }
}
