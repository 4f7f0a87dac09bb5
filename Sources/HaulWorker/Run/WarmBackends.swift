import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A backend's process, its scratch folder, and who listens to it at present.
final class BackendSeat: Sendable {
    /// What its batches have in common: everything that the process was told at its start, and the credentials as they were
    /// then.
    struct Kind: Hashable, Sendable {
        var protocolName: String
        /// It may be given more to do than one batch.
        var isReusable: Bool
        /// Without a scratch folder.
        var batch: BatchSpec
        var credentials: [String: CredentialStamp]
    }

    let kind: Kind
    let scratch: String
    let backend: BackendRun
    private let started = ContinuousClock.now
    /// How long a process serves one batch after the other: what it holds in memory, and believes of a site, ends with it.
    private static let lifetime = Duration.seconds(60)
    /// It may be given more to do than it has.
    var isYoung: Bool { kind.isReusable && ContinuousClock.now - started < Self.lifetime }
    private let ear: Ear
    /// It has done a batch.
    var isUsed: Bool { wasGiven.withLock { $0 } }
    private let wasGiven = Mutex(false)

    /// Hands events to whoever listens at present.
    private final class Ear: Sendable {
        /// A closure that stands in a lock by itself is wrapped once more each time it is looked at.
        struct Listener: Sendable { var hear: BackendRun.Handler }
        private let listener: Mutex<Listener?>
        init(_ handler: @escaping BackendRun.Handler) { listener = Mutex(Listener(hear: handler)) }
        func listen(_ new: BackendRun.Handler?) { listener.withLock { $0 = new.map(Listener.init) } }
        func hear(_ event: BackendEvent) async { await listener.withLock { $0 }?.hear(event) }
    }

    private init(kind: Kind, scratch: String, backend: BackendRun, ear: Ear) {
        (self.kind, self.scratch, self.backend, self.ear) = (kind, scratch, backend, ear)
    }

    /// Starts the process.
    static func start(
        _ kind: Kind, _ plugIn: PlugIn, in shop: Workshop, onEvent: @escaping BackendRun.Handler
    ) async throws -> BackendSeat {
        let scratch = try await shop.folder.makeScratch()
        var batch = kind.batch
        batch.scratch = scratch
        let ear = Ear(onEvent)
        do {
            let backend = try await shop.start(plugIn, batch) { await ear.hear($0) }
            return BackendSeat(kind: kind, scratch: scratch, backend: backend, ear: ear)
        } catch {
            await shop.folder.remove(scratch)
            throw error
        }
    }

    func listen(_ handler: @escaping BackendRun.Handler) { ear.listen(handler) }
    func listenNoMore() {
        ear.listen(nil)
        wasGiven.withLock { $0 = true }
    }

    /// Returns once the process is gone, and its folder.
    func end(_ folder: WorkFolder) async {
        await backend.finish()
        await backend.wait()
        await folder.remove(scratch)
    }
}

/// Says whether a credential's file is still what it was.
struct CredentialStamp: Hashable, Sendable {
    var inode: UInt64
    var size: Int
    var seconds: Int
    var nanoseconds: Int

    /// Reads the disk; nil where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

/// Backends that have done their batch, each kept for a few seconds for the next one at the same sites: what a backend has
/// opened there - connections, logins - costs more than many a batch of small files.
///
/// They count as the worker's: at most as many as it has slots are there, together with those that work.
actor WarmBackends {
    private struct Idle {
        var seat: BackendSeat
        var since: ContinuousClock.Instant
    }

    private let most: Int
    /// Zero: none is kept.
    private let patience: Duration
    private let folder: WorkFolder
    /// The one that has waited longest first.
    private var idle: [Idle] = []
    private var working = 0
    private var endings: [ObjectIdentifier: Task<Void, Never>] = [:]

    init(slots: Int, idleSeconds: Double, folder: WorkFolder) {
        most = slots
        patience = .seconds(idleSeconds)
        self.folder = folder
    }

    /// One that waits for a batch of this kind, or nil; then there is room to start one. It counts as working from then on,
    /// until it is given back.
    func take(_ kind: BackendSeat.Kind) async -> BackendSeat? {
        working += 1
        while let index = idle.lastIndex(where: { $0.seat.kind == kind }) {
            let seat = idle.remove(at: index).seat
            if await seat.backend.rest() { return seat }
            await end(seat).value
        }
        while working + idle.count > most, !idle.isEmpty { await end(idle.removeFirst().seat).value }
        return nil
    }

    /// The one that was taken, or was started in its place, has nothing to do any more; nil for one that did not start.
    ///
    /// - Parameter isSound: False where it failed in the end: what it has opened, or could not, is not for the next batch.
    func give(_ seat: BackendSeat?, isSound: Bool = true) async {
        working -= 1
        guard let seat else { return }
        seat.listenNoMore()
        let isUsable = await seat.backend.rest()
        guard isUsable, isSound, patience > .zero, seat.isYoung else {
            return await end(seat).value
        }
        await seat.backend.forget()
        let since = ContinuousClock.now
        idle.append(Idle(seat: seat, since: since))
        Task {
            try? await Task.sleep(for: patience)
            expire(seat, since: since)
        }
    }

    /// Returns once none is left of those that wait.
    func endAll() async {
        let all = idle
        idle = []
        for one in all { _ = end(one.seat) }
        for ending in endings.values { await ending.value }
    }

    /// Unless it was taken meanwhile.
    private func expire(_ seat: BackendSeat, since: ContinuousClock.Instant) {
        guard let index = idle.firstIndex(where: { $0.seat === seat && $0.since == since }) else { return }
        idle.remove(at: index)
        _ = end(seat)
    }

    private func end(_ seat: BackendSeat) -> Task<Void, Never> {
        let task = Task {
            await seat.end(folder)
            endings[ObjectIdentifier(seat)] = nil
        }
        endings[ObjectIdentifier(seat)] = task
        return task
    }
}
