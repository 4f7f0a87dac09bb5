/// Something that happens by itself. Each is safe to run on several servers of one database at once.
protocol Duty: Sendable {
    /// For the server's log.
    var name: String { get }
    /// Rings when there may be something to do at once.
    var bell: Bell { get }
    /// Seconds after which it looks even if nothing rang.
    var period: Double { get }
    /// Does a piece.
    ///
    /// - Returns: true when there is more to do at once.
    func run() async throws -> Bool
}

extension Duty {
    /// Goes once through what waits for a duty, a page after the other. One that fails keeps no other waiting, however many
    /// there are: the round goes on behind it, and the next one tries it again.
    ///
    /// - Parameters:
    ///   - page: what comes after a place, in order; nothing is the end.
    ///   - place: where one stands in that order.
    /// - Returns: true when something was done.
    /// - Throws: where there was something and none of it could be done, why.
    func round<Item: Sendable, Place>(
        from start: Place, _ page: (_ after: Place) async throws -> [Item], place: (Item) -> Place,
        work: (Item) async throws -> Void
    ) async throws -> Bool {
        var after = start
        var didSome = false
        var failure: (any Error)?
        while !Task.isCancelled {
            let items = try await page(after)
            guard let last = items.last else { break }
            for item in items {
                do {
                    try await work(item)
                    didSome = true
                } catch {
                    failure = error
                }
            }
            after = place(last)
        }
        if !didSome, let failure { throw failure }
        return didSome
    }
}

/// Runs an engine's duties until it is cancelled.
public struct DutyRunner: Sendable {
    private var duties: [any Duty]
    private let onFailure: @Sendable (_ duty: String, _ cause: String) -> Void

    /// - Parameter onFailure: told when a piece failed; the duty tries again after its period.
    public init(_ engine: Engine, onFailure: @escaping @Sendable (_ duty: String, _ cause: String) -> Void) {
        duties = [
            Rescuer(engine: engine), RetryLater(engine: engine), Expander(engine: engine), DepthOpener(engine: engine),
            Sweeper(engine: engine), Pruner(engine: engine),
            Retirer(engine: engine), PopRescuer(engine: engine), Prober(engine: engine), ProgressTeller(engine: engine),
            ServerBeat(engine: engine),
            ScratchTidier(engine: engine), ClockKeeper(engine: engine),
        ]
        if let launcher = engine.launcher {
            duties.append(LaunchKeeper(engine: engine, launcher: launcher))
        } else {
            duties.append(LaunchCloser(engine: engine))
        }
        self.onFailure = onFailure
    }

    /// Returns when the task is cancelled, each duty at the end of its piece.
    public func run() async {
        await withTaskGroup { group in
            for duty in duties {
                group.addTask { await repeatedly(duty) }
            }
        }
    }

    private func repeatedly(_ duty: any Duty) async {
        while !Task.isCancelled {
            let heard = duty.bell.rings
            var hasMore = false
            do {
                hasMore = try await duty.run()
            } catch {
                onFailure(duty.name, String(describing: error))
            }
            if !hasMore { await duty.bell.wait(after: heard, seconds: duty.period) }
        }
    }
}
