import HaulModel

/// A tree's directories, one after the other, while the next few are asked for already.
///
/// Depth first, in an order that only the tree decides: each directory before those in it, all of one together. What is
/// in memory is the directories that wait on the way down, and up to ``most`` opened ones.
public struct TreeWalk<Directory: Sendable, Opened: Sendable>: Sendable {
    private struct Step {
        var directory: Directory
        var opening: Task<Opened, any Error>?
    }

    /// How many of the directories that come next are opened ahead.
    private let ahead: Int
    /// How many may be open at a time, also those that have to wait for a deeper one.
    private let most: Int
    private let open: @Sendable (Directory) async throws -> Opened
    private let discard: @Sendable (Opened) async -> Void

    /// - Parameters:
    ///   - open: Asks for a directory; runs for several at a time.
    ///   - discard: Lets go of one that nobody will read, because the walk failed.
    public init(
        ahead: Int, most: Int, open: @escaping @Sendable (Directory) async throws -> Opened,
        discard: @escaping @Sendable (Opened) async -> Void
    ) {
        self.ahead = ahead
        self.most = max(1, most)
        self.open = open
        self.discard = discard
    }

    /// Walks the tree.
    /// - Parameter read: Takes one directory's content, or why it could not be opened; returns those below it, in the
    ///   order in which they are to come. What it throws ends the walk.
    /// - Returns: How many directories there were.
    @discardableResult
    public func run(
        from top: Directory, read: (Directory, Result<Opened, any Error>) async throws -> [Directory]
    ) async throws -> Int {
        var waiting = [Step(directory: top)]
        var count = 0
        do {
            while let next = waiting.popLast() {
                try Task.checkCancellation()
                let opening = next.opening ?? start(next.directory)
                lookAhead(&waiting)
                let opened = await result(opening, next.directory, wasAhead: next.opening != nil)
                let below = try await read(next.directory, opened)
                waiting += below.reversed().map { Step(directory: $0) }
                count += 1
            }
        } catch {
            await abandon(waiting.compactMap(\.opening))
            throw error
        }
        return count
    }

    private func lookAhead(_ waiting: inout [Step]) {
        var opened = waiting.count { $0.opening != nil }
        for index in waiting.indices.suffix(ahead).reversed() where waiting[index].opening == nil && opened < most {
            waiting[index].opening = start(waiting[index].directory)
            opened += 1
        }
    }

    private func start(_ directory: Directory) -> Task<Opened, any Error> {
        Task { [open] in try await open(directory) }
    }

    private func result(
        _ opening: Task<Opened, any Error>, _ directory: Directory, wasAhead: Bool
    ) async -> Result<Opened, any Error> {
        let result = await withTaskCancellationHandler {
            await opening.result
        } onCancel: {
            opening.cancel()
        }
        // One too many at a time for this server, maybe: now it is the only one that counts.
        guard wasAhead, case .failure(let error as BackendFailure) = result,
            [.unknown, .busy].contains(error.errorClass)
        else { return result }
        do { return .success(try await open(directory)) } catch { return .failure(error) }
    }

    private func abandon(_ openings: [Task<Opened, any Error>]) async {
        openings.forEach { $0.cancel() }
        for opening in openings {
            if let opened = try? await opening.value { await discard(opened) }
        }
    }
}
