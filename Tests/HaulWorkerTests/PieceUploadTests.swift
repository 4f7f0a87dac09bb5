import Foundation
import HaulWire
import Synchronization
import Testing

@testable import HaulWorker

/// A server that may lose what it had, as another does that takes the place of one that is gone.
private final class ForgetfulServer: Sendable {
    let bytes = Mutex(Data())

    func take(_ piece: Data, _ offset: Int) -> PieceReply {
        bytes.withLock { bytes in
            guard offset == bytes.count else { return .wrongOffset(bytes.count) }
            bytes.append(piece)
            return .accepted(bytes.count)
        }
    }

    func forget() { bytes.withLock { $0 = Data() } }
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}

struct PieceUploadTests {
    private func upload(_ server: ForgetfulServer, notice: String?) -> PieceUpload {
        PieceUpload(
            pieceBytes: 8, backoff: Backoff(first: 0.01, maximum: 0.01), restartNotice: notice.map { Data($0.utf8) }
        ) { piece, offset throws(ServerFailure) in server.take(piece, offset) }
    }

    @Test func aLogGoesOnAnew() async throws {
        let server = ForgetfulServer()
        let upload = upload(server, notice: "lost\n")
        try await upload.append(Data("one\ntwo\n".utf8))
        #expect(server.text == "one\ntwo\n")
        server.forget()
        for line in ["three\n", "four\n", "five\n"] { try await upload.append(Data(line.utf8)) }
        try await upload.flush()
        #expect(server.text == "lost\nthree\nfour\nfive\n")
        // And once more: what counts is what the server has, not what it once had.
        server.forget()
        try await upload.append(Data("six\n".utf8))
        try await upload.flush()
        #expect(server.text == "lost\nsix\n")
    }

    @Test func aListingDoesNot() async throws {
        let server = ForgetfulServer()
        let upload = upload(server, notice: nil)
        try await upload.append(Data("one\ntwo\n".utf8))
        server.forget()
        await #expect(throws: ServerFailure.self) {
            try await upload.append(Data("three\n".utf8))
            try await upload.flush()
        }
        #expect(server.text.isEmpty)
    }
}
