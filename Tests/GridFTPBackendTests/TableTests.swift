import Foundation
import HaulModel
import HaulProtocol
import Testing

@testable import haul_gridftp

/// What servers and the library were seen to say, a row each.
@Suite struct TableTests {
    private func failure(_ text: String) throws -> BackendFailure {
        var parser = FTPReplyParser()
        parser.add(Data((text.split(separator: "\n").joined(separator: "\r\n") + "\r\n").utf8))
        return ReplyTable.failure(try #require(try parser.next()), "it")
    }

    private static let said: [(String, ErrorClass)] = [
        (
            "550-GlobusError: v=1 c=PATH_NOT_FOUND\n550-GridFTP-Errno: 2\n550-GridFTP-Reason: System error in stat\n550 End.",
            .notFound
        ),
        ("553-GlobusError: v=1 c=PATH_EXISTS\n553-GridFTP-Errno: 17\n553 End.", .exists),
        ("451-GlobusError: v=1 c=INTERNAL_ERROR\n451-GridFTP-Errno: 39\n451 End.", .notEmpty),
        ("550-GlobusError: v=1 c=IS_A_DIRECTORY\n550-GridFTP-Errno: 21\n550 End.", .invalid),
        ("550-GridFTP-Errno: 13\n550 End.", .permission), ("550-GridFTP-Errno: 1\n550 End.", .permission),
        ("550-GridFTP-Errno: 30\n550 End.", .permission), ("451-GridFTP-Errno: 28\n451 End.", .noSpace),
        ("451-GridFTP-Errno: 122\n451 End.", .noSpace), ("451-GridFTP-Errno: 27\n451 End.", .noSpace),
        ("451-GridFTP-Errno: 36\n451 End.", .invalid), ("451-GridFTP-Errno: 40\n451 End.", .invalid),
        ("451-GridFTP-Errno: 22\n451 End.", .invalid), ("451-GridFTP-Errno: 16\n451 End.", .busy),
        ("451-GridFTP-Errno: 26\n451 End.", .busy), ("451-GridFTP-Errno: 24\n451 End.", .busy),
        ("451-GridFTP-Errno: 11\n451 End.", .busy), ("550-GridFTP-Errno: 20\n550 End.", .notFound),
        ("530 Login incorrect. : the certificate has expired", .credentialExpired),
        ("530 the credential has expired", .credentialExpired), ("530 credentials have expired", .credentialExpired),
        ("530 the proxy has expired", .credentialExpired), ("530 Login incorrect.", .auth),
        ("500 globus_gsi_gssapi: Authorization denied: the name", .auth), ("535 Authentication failed", .auth),
        ("500 Could not find it in the gridmap file", .auth), ("500 GSS failure: major", .auth),
        ("500 Please login with USER and PASS.", .auth), ("500 Must perform GSSAPI authentication", .auth),
        ("500 Not logged in.", .auth), ("530 whatever", .auth), ("534 whatever", .auth),
        ("500 System error in open: No such file or directory", .notFound), ("550 c=PATH_NOT_FOUND", .notFound),
        ("500 Not a directory", .notFound), ("500 System error in open: Permission denied", .permission),
        ("550 c=PERMISSION_DENIED", .permission), ("500 Operation not permitted", .permission),
        ("550 Path not allowed.", .permission), ("500 Read-only file system", .permission),
        ("550 Access denied", .permission), ("500 System error in write: No space left on device", .noSpace),
        ("500 Disk quota exceeded", .noSpace), ("500 Quota exceeded", .noSpace), ("452 whatever", .noSpace),
        ("552 whatever", .noSpace), ("500 Directory not empty", .notEmpty), ("500 File exists", .exists),
        ("550 c=PATH_EXISTS", .exists), ("500 Is a directory", .invalid), ("500 File name too long", .invalid),
        ("500 Too many levels of symbolic links", .invalid), ("500 Command not supported.", .invalid),
        ("500 Command not recognized", .invalid), ("500 Text file busy", .busy), ("500 Device or resource busy", .busy),
        ("500 Too many open files", .busy), ("421 Too many connections", .busy),
        ("421 Connection limit reached", .busy),
        ("421 max connections", .busy), ("421 Idle Timeout: closing control connection.", .connect),
        ("500 System error in connect: Connection refused", .connect), ("500 Connection timed out", .connect),
        ("500 Connection reset by peer", .connect), ("500 No route to host", .connect), ("500 Broken pipe", .connect),
        ("500 an end-of-file was reached", .connect), ("500 globus_xio: An end of file occurred", .connect),
        ("421 whatever", .connect), ("425 whatever", .connect), ("426 whatever", .connect),
        ("500 globus_xio: Operation was canceled", .interrupted), ("500 Transfer aborted", .interrupted),
        ("500 Command failed", .unknown),
    ]

    @Test(arguments: TableTests.said)
    func replies(_ text: String, _ errorClass: ErrorClass) throws {
        #expect(try failure(text).errorClass == errorClass)
    }

    /// Each row is needed by one of the texts above: here, that each finds its own words.
    @Test func everyRowIsReached() throws {
        for (words, errorClass) in ReplyTable.rows {
            let found = try failure("500 \(words)")
            #expect(found.errorClass == errorClass, "\(words)")
        }
    }

    /// A path in the text says nothing, and takes nothing from what the server says besides.
    @Test func pathsAreNoReasons() throws {
        var reply = FTPReply(code: 550, lines: [Data("550 /a/gridmap/x: No such file or directory".utf8)])
        reply.paths = ["/a/gridmap/x"]
        #expect(ReplyTable.errorClass(reply) == .notFound)
        reply.lines = [Data("550 /A/GRIDMAP/x: Permission denied".utf8)]
        #expect(ReplyTable.errorClass(reply) == .permission)
        reply = FTPReply(code: 550, lines: [Data("550 gridmap: busy".utf8)], paths: ["/a/gridmap"])
        #expect(ReplyTable.errorClass(reply) == nil)
        // The number stands on a line of its own.
        reply = FTPReply(code: 451, lines: [Data("451 /x GridFTP-Errno: 2".utf8)])
        #expect(ReplyTable.errorClass(reply) == nil)
        reply = FTPReply(code: 451, lines: [Data("451 GridFTP-Errno: 2".utf8)], paths: ["/a/GridFTP-Errno: 2"])
        #expect(ReplyTable.errorClass(reply) == nil)
        // A connection's end tells nothing of a file.
        reply = FTPReply(code: 421, lines: [Data("421 No such file or directory".utf8)])
        #expect(ReplyTable.errorClass(reply) == .connect)
    }

    @Test func reasonsHaveWhatMatters() throws {
        let said = try failure(
            "550-GlobusError: v=1 c=PATH_NOT_FOUND\n550-GridFTP-Errno: 2\n550-GridFTP-Reason: System error in stat\n"
                + "550-GridFTP-Error-String: No such file or directory\n550 End.")
        #expect(said.reason == "it: 550 System error in stat: No such file or directory")
        #expect(said.returncode == 550)
    }

    private static let ends: [(Int32, String, ErrorClass)] = [
        (5, "the proxy has expired", .credentialExpired),
        (4, "the handshake failed: The credential has expired (GSS 1)", .credentialExpired),
        (4, "the handshake failed: certificate has expired", .credentialExpired),
        (5, "the proxy cannot be used: The proxy credential: * expired 3622908 minutes ago.", .credentialExpired),
        (5, "the proxy cannot be used: no file", .auth),
        (4, "Can't get the local trusted CA certificate: Untrusted self-signed certificate", .auth),
        (4, "untrusted", .auth), (4, "certificate verify failed", .auth), (4, "Could not verify credential", .auth),
        (4, "Invalid CRL", .auth), (4, "the server refuses the proxy: 535 no", .auth),
        (4, "The name of the remote entity (/CN=x), and the expected name do not match", .auth),
        (4, "AUTH GSSAPI: 500 Command not supported", .auth), (3, "h port 1: Connection refused", .connect),
        (6, "the connection broke", .connect), (127, "no library", .backend), (2, "usage", .backend),
    ]

    @Test(arguments: TableTests.ends)
    func complaints(_ code: Int32, _ text: String, _ errorClass: ErrorClass) {
        let failure = GSIComplaint.failure(.exited(code), text + "\n")
        #expect(failure.errorClass == errorClass)
        #expect(failure.reason.contains(text))
    }

    @Test func refusalsAreToldWithoutCodes() {
        let said =
            "the server refuses the proxy: 530-GSS failure:  530-The certificate has expired 530- 530 End. \nmore"
        let failure = GSIComplaint.failure(.exited(4), said)
        #expect(failure.reason == "the server refuses the proxy: GSS failure: The certificate has expired 530 End.")
        #expect(failure.errorClass == .credentialExpired)
    }
}
