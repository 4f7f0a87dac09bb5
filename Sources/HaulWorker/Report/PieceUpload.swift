import Foundation

/// A log or listing on its way to the server, piece by piece: holds what the server does not have yet, at most a piece
/// and what came while it was sent.
///
/// Who appends waits where a piece is full: that is what slows a backend down to the server's pace.
actor PieceUpload {
    /// Sends a piece once; the answer, or why there was none.
    typealias Send = @Sendable (_ piece: Data, _ offset: Int) async throws(ServerFailure) -> PieceReply

    /// The status (416, range not satisfiable) of a failure for the pieces alone: the server's offset is one that cannot be
    /// reached from what is still here. A 409 means that the lease has ended.
    static let outOfStep = 416

    private let pieceBytes: Int
    private let backoff: Backoff
    private let send: Send
    /// What goes up first where the server has lost all that it had; nil where what is left is worth nothing without it.
    private let restartNotice: Data?
    /// Bytes by which the server's offsets are behind ours, since it lost what it had.
    private var lost = 0
    /// Starts at byte ``acknowledged``.
    private var buffer = Data()
    private var acknowledged = 0
    private var sending: Task<Reached, any Error>?
    private(set) var failure: ServerFailure?

    /// - Parameter pieceBytes: The most bytes of a piece.
    /// - Parameter restartNotice: What goes up in the place of the beginning where the server lost it.
    init(pieceBytes: Int, backoff: Backoff, restartNotice: Data? = nil, send: @escaping Send) {
        self.restartNotice = restartNotice
        self.pieceBytes = pieceBytes
        self.backoff = backoff
        self.send = send
    }

    /// True once a piece went up, or was tried to.
    var isStarted: Bool { acknowledged > 0 || sending != nil || failure != nil }

    /// Takes more, and sends what fills a piece.
    /// - Throws: ``ServerFailure`` once the server refused for good; nothing is kept from then on.
    func append(_ data: Data) async throws(ServerFailure) {
        if let failure { throw failure }
        buffer.append(data)
        while buffer.count >= pieceBytes { try await sendPiece() }
    }

    /// Sends all that is there.
    func flush() async throws(ServerFailure) {
        if let failure { throw failure }
        while !buffer.isEmpty { try await sendPiece() }
    }

    /// What never went up, to be sent in another way; nil once a piece did.
    func takeAll() -> Data? {
        guard !isStarted else { return nil }
        defer { buffer = Data() }
        return buffer
    }

    /// Ends all sending: the lease is gone.
    func abandon() {
        fail(.cancelled)
        sending?.cancel()
    }

    private func sendPiece() async throws(ServerFailure) {
        let task: Task<Reached, any Error>
        if let sending {
            task = sending
        } else {
            let piece = Self.piece(of: buffer, limit: pieceBytes)
            let (offset, lost, backoff, notice, send) = (acknowledged, lost, backoff, restartNotice, send)
            task = Task {
                try await Self.deliver(piece, at: offset, lost: lost, backoff: backoff, notice: notice, send: send)
            }
            sending = task
        }
        do {
            let reached = try await task.value
            // Another who waited for the same piece may have been here first.
            guard sending == task else { return }
            sending = nil
            buffer = Data(buffer.dropFirst(reached.offset - acknowledged))
            acknowledged = reached.offset
            lost = reached.lost
        } catch {
            if sending == task { sending = nil }
            fail(error as? ServerFailure ?? .cancelled)
        }
        if let failure { throw failure }
    }

    private func fail(_ reason: ServerFailure) {
        if failure == nil { failure = reason }
        buffer = Data()
    }

    /// How far a piece brought it: in our bytes, and by how many the server's are behind.
    private struct Reached: Sendable {
        var offset: Int
        var lost: Int
    }

    /// Brings a piece to the server, however often it takes. A server that has nothing any more - another had it, and is
    /// gone - gets the notice and goes on from there.
    private static func deliver(
        _ piece: Data, at start: Int, lost: Int, backoff: Backoff, notice: Data?, send: Send
    ) async throws -> Reached {
        var backoff = backoff
        var piece = piece
        // Both in the server's bytes.
        var start = start - lost
        var offset = start
        let ends = start + lost + piece.count
        while offset < start + piece.count {
            do {
                switch try await send(Data(piece.dropFirst(offset - start)), offset) {
                case .accepted: offset = start + piece.count
                case .wrongOffset(let actual):
                    if actual == 0, offset > 0, let notice {
                        piece = notice + piece
                        start = 0
                        offset = 0
                        continue
                    }
                    // An answer that was lost: the server has some of it, or all. Anything else cannot be mended from
                    // what is still here.
                    guard actual > offset, actual <= start + piece.count else {
                        throw ServerFailure.refused(
                            status: Self.outOfStep,
                            detail: "the server is at byte \(actual), the piece at \(offset) to \(start + piece.count)")
                    }
                    offset = actual
                }
            } catch ServerFailure.unreachable {
                try await Task.sleep(for: .seconds(backoff.next()))
            }
        }
        return Reached(offset: ends, lost: ends - start - piece.count)
    }

    /// As many bytes as a piece takes, cut behind a line where there is one, else between two characters.
    static func piece(of buffer: Data, limit: Int) -> Data {
        guard buffer.count > limit else { return buffer }
        let head = buffer.prefix(limit)
        if let newline = head.lastIndex(of: UInt8(ascii: "\n")) { return Data(head[...newline]) }
        var end = head.endIndex
        // A byte 10xxxxxx goes on a character.
        while end > head.startIndex, head.endIndex - end < 4, buffer[end] & 0xC0 == 0x80 { end -= 1 }
        return Data(buffer[buffer.startIndex..<(end > head.startIndex ? end : head.endIndex)])
    }
}
