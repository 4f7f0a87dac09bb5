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
    /// Starts at byte ``acknowledged``.
    private var buffer = Data()
    private var acknowledged = 0
    private var sending: Task<Int, any Error>?
    private(set) var failure: ServerFailure?

    /// - Parameter pieceBytes: The most bytes of a piece.
    init(pieceBytes: Int, backoff: Backoff, send: @escaping Send) {
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
        let task: Task<Int, any Error>
        if let sending {
            task = sending
        } else {
            let piece = Self.piece(of: buffer, limit: pieceBytes)
            let (offset, backoff, send) = (acknowledged, backoff, send)
            task = Task { try await Self.deliver(piece, at: offset, backoff: backoff, send: send) }
            sending = task
        }
        do {
            let reached = try await task.value
            // Another who waited for the same piece may have been here first.
            guard sending == task else { return }
            sending = nil
            buffer = Data(buffer.dropFirst(reached - acknowledged))
            acknowledged = reached
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

    /// Brings a piece to the server, however often it takes; returns the offset that is reached then.
    private static func deliver(
        _ piece: Data, at start: Int, backoff: Backoff, send: Send
    ) async throws -> Int {
        var backoff = backoff
        var offset = start
        let end = start + piece.count
        while offset < end {
            do {
                switch try await send(Data(piece.dropFirst(offset - start)), offset) {
                case .accepted: return end
                case .wrongOffset(let actual):
                    // An answer that was lost: the server has some of it, or all. Anything else cannot be mended from
                    // what is still here.
                    guard actual > offset, actual <= end else {
                        throw ServerFailure.refused(
                            status: Self.outOfStep,
                            detail: "the server is at byte \(actual), the piece at \(offset) to \(end)")
                    }
                    offset = actual
                }
            } catch ServerFailure.unreachable {
                try await Task.sleep(for: .seconds(backoff.next()))
            }
        }
        return end
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
